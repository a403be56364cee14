import { EngineMemory } from './engine-memory.ts';
import { type EngineModule, webAssembly } from './web-assembly.ts';

/** What `kernels/engine.c` exports for the executor. Pointers are byte addresses. */
export interface Kernels {
  /** This and `logits` give 0, or not 0 when a thread of the worker's team was lost. */
  readonly forward: (model: number, worker: number, rows: number, count: number) => number;
  readonly logits: (model: number, worker: number, wanted: number, count: number) => number;
  readonly run_apart: (helper: number, task: number, as: number, model: number, rows: number, count: number) => number;
  readonly dismiss: (worker: number) => void;
  /** Of kernels/sha256.h and find-lowest.h. */
  readonly hash_leaves: (data: number, bytes: number, tag: number, digests: number) => void;
  readonly merkle_top: (digests: number, count: number) => void;
  readonly find_lowest: (values: number, bytes: number) => number;
}

export interface EngineInstance {
  readonly kernels: Kernels;
  readonly memory: EngineMemory;
  /** Everything that is exported, single operations included (tests use them). */
  readonly exports: Readonly<Record<string, unknown>>;
}

/** A fresh instance with a memory of its own. */
export function instantiate(module: EngineModule | Uint8Array): EngineInstance {
  const compiled = module instanceof Uint8Array ? new webAssembly.Module(module) : module;
  const memory = new EngineMemory();
  const { exports } = new webAssembly.Instance(compiled, { env: { memory: memory.wasm } });
  const heapBase = (exports['__heap_base'] as { readonly value: number }).value;
  memory.start(heapBase);
  return { kernels: exports as unknown as Kernels, memory, exports };
}
