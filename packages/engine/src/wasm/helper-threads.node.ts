import { Worker } from 'node:worker_threads';
import { createKernelExecutor } from '../kernels/kernel-executor.ts';
import { selfTest } from '../self-test.ts';
import { nodeSha256 } from '../sha256.node.ts';
import type { EngineInstance, Kernels } from './kernels.ts';
import { wasmHost } from './wasm-host.ts';
import type { EngineModule } from './web-assembly.ts';

const program = new URL('../../wasm/helper-thread.mjs', import.meta.url);
const STACK_BYTES = 65_536;
/** `task` of kernels/team.h. */
const TASKS = { forward: 0, logits: 1 } as const;
/** Place of `lost` among the words of the struct `team`. */
const LOST_WORD = 3;

/** Threads that run `help` of kernels/engine.c over the memory of one engine, each with a stack of its own. They do not keep the process alive. */
export class HelperThreads {
  readonly #engine: EngineInstance;
  readonly #workers: readonly number[];
  readonly #threads: readonly Worker[];
  #closed = false;

  /** @param workers - addresses of the team's `worker` structs; the first one is the caller's. */
  constructor(engine: EngineInstance, module: EngineModule, workers: readonly number[]) {
    this.#engine = engine;
    this.#workers = workers;
    const { memory } = engine;
    const lost = (memory.int32(workers[0]!, 1)[0]! >>> 0) + 4 * LOST_WORD;
    this.#threads = workers.slice(1).map((worker) => {
      const stackTop = memory.allocate(STACK_BYTES, 'the stack of a thread') + STACK_BYTES;
      const workerData = { module, memory: memory.wasm, worker, stackTop, lost };
      const thread = new Worker(program, { workerData, execArgv: [], env: {}, name: 'engine-helper' });
      thread.on('error', () => {}); // a trap: the thread has said so in memory before it ended
      thread.on('exit', () => {
        if (!this.#closed) Atomics.store(memory.int32(lost, 1), 0, 1);
      });
      thread.unref();
      return thread;
    });
  }

  /** Known-answer test of every helper, run by it alone. Throws when one computes wrong results or does not answer. */
  test(): void {
    const { kernels, memory } = this.#engine;
    for (const helper of this.#workers.slice(1)) {
      const engine = { ...this.#engine, kernels: apart(kernels, helper) };
      memory.within(() => selfTest((manifest, weights) => createKernelExecutor(manifest, wasmHost(manifest, weights, engine)), nodeSha256));
    }
  }

  close(): void {
    this.#closed = true;
    this.#engine.kernels.dismiss(this.#workers[0]!);
    for (const thread of this.#threads) void thread.terminate();
  }
}

/** Kernels that are run by one helper while the caller waits. */
function apart(kernels: Kernels, helper: number): Kernels {
  return {
    ...kernels,
    forward: (model, worker, rows, count) => kernels.run_apart(helper, TASKS.forward, worker, model, rows, count),
    logits: (model, worker, wanted, count) => kernels.run_apart(helper, TASKS.logits, worker, model, wanted, count),
  };
}
