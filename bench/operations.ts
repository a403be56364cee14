// Single operations of one or more builds of engine.wasm, in turns: `npx tsx bench/operations.ts BEFORE.wasm AFTER.wasm`. The best of many short slices, which a busy machine
// disturbs least; microseconds of one call, nanoseconds of one result of a product.
import { type EngineInstance, Xorshift, instantiate } from '@commonweight/engine/testing/operations';
import { readFileSync } from 'node:fs';
import process from 'node:process';

const SLICES = 300;
const HEAD = 64;
const POSITIONS = 1024;
const VALUES = 1536;
const ROWS = 512;

type Call = () => void;

/** The calls that are timed, with inputs of their own in the engine's memory; the same in every build. */
function callsOf({ exports, memory }: EngineInstance): Map<string, { readonly call: Call; readonly results: number }> {
  const random = new Xorshift(1);
  const put = (values: Int8Array | Uint8Array | Int16Array | Int32Array | BigInt64Array): number => {
    const at = memory.allocate(values.byteLength, 'a bench');
    memory.bytes(at, values.byteLength).set(new Uint8Array(values.buffer));
    return at;
  };
  const run = (name: string, ...args: readonly (number | bigint)[]): Call => {
    const operation = exports[name] as (...values: readonly (number | bigint)[]) => unknown;
    return () => void operation(...args);
  };
  const int32s = (length: number): number => put(Int32Array.from({ length }, () => random.integer(-(2 ** 18), 2 ** 18)));
  const room = (bytes: number): number => memory.allocate(bytes, 'a bench');

  const entries = Int8Array.from({ length: 2 * POSITIONS * HEAD }, () => random.integer(-127, 127));
  const cache = room(POSITIONS * (2 * HEAD + 8));
  memory.bytes(cache, entries.length).set(new Uint8Array(entries.buffer));
  memory.int32(cache + entries.length, 2 * POSITIONS).fill(30_000);
  const query = put(BigInt64Array.from({ length: HEAD }, () => BigInt(random.integer(-(2 ** 17), 2 ** 17))));
  const scratch = [room(4 * POSITIONS), room(8 * POSITIONS), room(2 * POSITIONS)];
  const attend = (positions: number): Call =>
    run('op_attend', HEAD, 47_274, -2, query, cache, POSITIONS, positions, ...scratch, room(8 * HEAD));

  const [gate, up, wide, q, scale] = [int32s(VALUES), int32s(VALUES), room(8 * VALUES), room(2 * VALUES), room(8)];
  run('op_swiglu', gate, up, VALUES, wide)();
  const product = (columns: number, vectors: number): Call => {
    const weights = put(Int8Array.from({ length: ROWS * columns }, () => random.integer(-127, 127)));
    const blocks = put(new Uint8Array((ROWS * columns) / 64).fill(13));
    const matrix = put(Int32Array.of(weights, blocks, put(new Int32Array(ROWS).fill(3_000_000)), ROWS, columns, 24, 14));
    const x = put(Int16Array.from({ length: vectors * columns }, () => random.integer(-8191, 8191)));
    const scales = put(Int32Array.from({ length: 2 * vectors }, (_, i) => (i % 2 === 0 ? 70_000 : -30)));
    return run('op_matmul', matrix, x, scales, vectors, 16, room(65_536), room(8 * 16 * vectors), room(4 * ROWS * vectors));
  };
  const products = [64, 576, 2048].flatMap((columns) =>
    [1, 2, 8, 32].map((vectors) => [`product, ${columns} columns, ${vectors} vectors`, product(columns, vectors), ROWS * vectors] as const),
  );
  return new Map(
    [
      [`attention over 256 positions`, attend(256), 1] as const,
      [`attention over ${POSITIONS} positions`, attend(POSITIONS), 1] as const,
      [`SwiGLU of ${VALUES}`, run('op_swiglu', gate, up, VALUES, room(8 * VALUES)), 1] as const,
      [`quantise ${VALUES}`, run('op_quantise', wide, VALUES, 14, q, scale), 1] as const,
      [`norm of 576`, run('op_rms_norm_quantise', gate, 576, up, 20, 100n, 14, room(8 * 576), q, scale), 1] as const,
      ...products,
    ].map(([name, call, results]) => [name, { call, results }]),
  );
}

const files = process.argv.slice(2);
if (files.length === 0) throw new Error('expected one or more files of engine.wasm');
const builds = files.map((file) => callsOf(instantiate(new Uint8Array(readFileSync(file)))));
process.stdout.write(`Node ${process.version}; ${files.join(', ')}\n`);
for (const [name, { call: first, results }] of builds[0]!) {
  const calls = builds.map((build) => build.get(name)!.call);
  for (const call of calls) for (let i = 0; i < 20; i++) call();
  const started = performance.now();
  first();
  const repeats = Math.max(1, Math.min(2000, Math.round(0.2 / Math.max(performance.now() - started, 1e-4))));
  const best = calls.map(() => Infinity);
  for (let slice = 0; slice < SLICES; slice++) {
    for (const [i, call] of calls.entries()) {
      const start = performance.now();
      for (let k = 0; k < repeats; k++) call();
      best[i] = Math.min(best[i]!, (performance.now() - start) / repeats);
    }
  }
  const shown = best.map((ms) => (results === 1 ? `${(1000 * ms).toFixed(2)} us` : `${((1e6 * ms) / results).toFixed(2)} ns`).padStart(11));
  process.stdout.write(`${name.padEnd(36)}${shown.join('')}\n`);
}
