import { CommonweightError } from '@commonweight/protocol';
import { limits } from '../limits.ts';
import { type WasmMemory, webAssembly } from './web-assembly.ts';

const PAGE = 65_536;
const ALIGNMENT = 64;

interface Region {
  readonly start: number;
  readonly size: number;
}

/** The engine's linear memory: regions are given out first fit, from gaps or by growing at the end. It is shared so that threads can help; views do not see what it grows by. */
export class EngineMemory {
  readonly wasm: WasmMemory;
  #end = 0;
  #gaps: Region[] = [];
  readonly #used = new Map<number, number>();

  constructor() {
    this.wasm = new webAssembly.Memory({ initial: 2, maximum: limits.wasmMemoryBytes / PAGE, shared: true });
  }

  /** Regions begin at `heapBase`: below are the engine's stack and constants. */
  start(heapBase: number): void {
    this.#end = Math.ceil(heapBase / 1024) * 1024;
  }

  /** Address of `bytes` zeroed bytes, aligned to 64. `what` names them in the error. */
  allocate(bytes: number, what: string): number {
    const size = Math.max(1, Math.ceil(bytes / ALIGNMENT)) * ALIGNMENT;
    const gap = this.#gaps.findIndex((region) => region.size >= size);
    const start = gap === -1 ? this.#grow(size, what) : this.#take(gap, size);
    this.#used.set(start, size);
    return start;
  }

  free(start: number): void {
    const size = this.#used.get(start);
    if (size === undefined)
      throw new CommonweightError(`expected a region in use, got address ${start}`, { code: 'memory', action: 'stop' });
    this.#used.delete(start);
    this.#gaps = merge([...this.#gaps, { start, size }]);
  }

  /** Frees all that `use` allocates. */
  within<T>(use: () => T): T {
    const before = new Set(this.#used.keys());
    try {
      return use();
    } finally {
      for (const start of this.#used.keys()) if (!before.has(start)) this.free(start);
    }
  }

  bytes(start: number, length: number): Uint8Array<SharedArrayBuffer> {
    return new Uint8Array(this.wasm.buffer, start, length);
  }

  int32(start: number, length: number): Int32Array<SharedArrayBuffer> {
    return new Int32Array(this.wasm.buffer, start, length);
  }

  #take(index: number, size: number): number {
    const { start, size: all } = this.#gaps[index]!;
    this.#gaps.splice(index, 1, ...(all > size ? [{ start: start + size, size: all - size }] : []));
    this.bytes(start, size).fill(0);
    return start;
  }

  #grow(size: number, what: string): number {
    const start = this.#end;
    const end = start + size;
    const missing = Math.ceil(end / PAGE) - this.wasm.buffer.byteLength / PAGE;
    if (end > limits.wasmMemoryBytes)
      throw tooLarge(what, size, `${limits.wasmMemoryBytes - start} bytes are left of the 4 GiB that WASM can address`);
    if (missing > 0) {
      try {
        this.wasm.grow(missing);
      } catch (cause) {
        throw tooLarge(what, size, 'the machine has no more memory', cause);
      }
    }
    this.#end = end;
    return start;
  }
}

function tooLarge(what: string, size: number, why: string, cause?: unknown): CommonweightError {
  return new CommonweightError(`${what} needs ${size} bytes, but ${why}; use a smaller model or a shorter sequence`, {
    code: 'memory',
    field: what,
    details: { size },
    cause,
  });
}

function merge(regions: readonly Region[]): Region[] {
  const merged: Region[] = [];
  for (const region of regions.toSorted((a, b) => a.start - b.start)) {
    const last = merged.at(-1);
    if (last && last.start + last.size === region.start) merged[merged.length - 1] = { start: last.start, size: last.size + region.size };
    else merged.push(region);
  }
  return merged;
}
