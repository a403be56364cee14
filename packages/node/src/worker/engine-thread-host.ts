import { Worker } from 'node:worker_threads';
import { CommonweightError, type Manifest, type ModelId } from '@commonweight/protocol';
import { workerLimits } from '../limits.ts';
import type { Clock } from '../platform/clock.ts';
import type { EngineEvents, EngineHost, EngineJob, EngineResult } from './engine-host.ts';
import type { EngineCommand, EngineMessage, EngineThreadData } from './engine-messages.ts';
import type { WorkerLog } from './log.ts';

/** The built file: also this source run by a test starts the built thread, since threads load no TypeScript. */
const builtThread = new URL('../../dist/worker/engine-thread.js', import.meta.url);

export interface ThreadEngineOptions {
  readonly log: WorkerLog;
  readonly clock: Clock;
  /** Program of the thread; tests pass one that crashes. */
  readonly threadUrl?: URL;
}

/** Opens the package in a thread of its own. Rejects when the weights or the engine are not what they should be. */
export async function openThreadEngine(packageDir: string, options: ThreadEngineOptions): Promise<EngineHost> {
  const first = await startThread(packageDir, options);
  return new ThreadEngineHost(packageDir, options, first);
}

interface Thread {
  readonly worker: Worker;
  readonly manifest: Manifest;
  readonly modelId: ModelId;
  readonly stopFlag: Int32Array;
  /** Resolves when the thread has ended, for whatever reason. */
  readonly ended: Promise<void>;
}

class ThreadEngineHost implements EngineHost {
  readonly manifest: Manifest;
  readonly modelId: ModelId;
  readonly #packageDir: string;
  readonly #options: ThreadEngineOptions;
  #thread: Promise<Thread>;
  #jobs = 0;
  #restarts = 0;
  #closed = false;
  #busy = false;

  constructor(packageDir: string, options: ThreadEngineOptions, first: Thread) {
    this.manifest = first.manifest;
    this.modelId = first.modelId;
    this.#packageDir = packageDir;
    this.#options = options;
    this.#thread = Promise.resolve(first);
    this.#watch(first);
  }

  async run(job: EngineJob, events: EngineEvents, signal: AbortSignal): Promise<EngineResult> {
    if (this.#busy) throw new CommonweightError('the engine runs one job at a time', { code: 'engine_busy', action: 'retry' });
    this.#busy = true;
    try {
      const thread = await this.#thread;
      const result = await runJob(thread, ++this.#jobs, job, events, signal);
      this.#restarts = 0;
      return result;
    } finally {
      this.#busy = false;
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    const thread = await this.#thread.catch(() => undefined);
    await thread?.worker.terminate();
  }

  #watch(thread: Thread): void {
    void thread.ended.then(() => {
      if (this.#closed) return;
      this.#options.log.error('engine_crashed', { restarts: this.#restarts });
      this.#thread = this.#restart();
      // a restart that fails is reported by the next run
      this.#thread.catch(() => undefined);
    });
  }

  async #restart(): Promise<Thread> {
    for (;;) {
      if (this.#restarts++ >= workerLimits.engineRestarts) {
        this.#options.log.error('engine_gone', { restarts: workerLimits.engineRestarts });
        throw new CommonweightError(`the engine crashed ${workerLimits.engineRestarts + 1} times in a row; the node's log says why`, {
          code: 'engine_gone',
          action: 'stop',
        });
      }
      try {
        const thread = await startThread(this.#packageDir, this.#options);
        if (thread.modelId !== this.modelId)
          throw new CommonweightError('the model package was replaced while the node was running', {
            code: 'model_changed',
            action: 'stop',
          });
        this.#watch(thread);
        return thread;
      } catch (error) {
        if (error instanceof CommonweightError && error.action === 'stop') throw error;
      }
    }
  }
}

function runJob(thread: Thread, job: number, input: EngineJob, events: EngineEvents, signal: AbortSignal): Promise<EngineResult> {
  const { worker, stopFlag } = thread;
  return new Promise<EngineResult>((resolve, reject) => {
    const stop = (): void => void Atomics.store(stopFlag, 0, job);
    const finish = (): void => {
      worker.off('message', listen);
      worker.off('exit', crash);
      signal.removeEventListener('abort', stop);
    };
    const crash = (): void => {
      finish();
      reject(
        new CommonweightError('the engine crashed during this run; try again or ask another node', {
          code: 'engine_crashed',
          action: 'retry',
        }),
      );
    };
    const listen = (message: EngineMessage): void => {
      if (!('job' in message) || message.job !== job) return;
      if (message.type === 'prefill') events.onPrefill(message.done, message.total);
      else if (message.type === 'token') events.onToken(message.index, message.id);
      else {
        finish();
        if (message.type === 'done') resolve(message.result);
        else reject(new CommonweightError(message.message, { code: message.code, action: message.action }));
      }
    };
    worker.on('message', listen);
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    worker.once('exit', crash);
    worker.postMessage({ job, input } satisfies EngineCommand);
  });
}

async function startThread(packageDir: string, { threadUrl = builtThread, clock, log }: ThreadEngineOptions): Promise<Thread> {
  const shared = new SharedArrayBuffer(4);
  const worker = new Worker(threadUrl, { workerData: { packageDir, stopFlag: shared } satisfies EngineThreadData });
  const ended = new Promise<void>((resolve) => {
    worker.once('exit', () => resolve());
    worker.on('error', (error) => log.error('engine_crashed', { name: error.name }));
  });
  const ready = new Promise<Thread>((resolve, reject) => {
    worker.once('message', (message: EngineMessage) => {
      if (message.type === 'ready')
        resolve({ worker, manifest: message.manifest, modelId: message.modelId, stopFlag: new Int32Array(shared), ended });
      else if (message.type === 'refused') reject(new CommonweightError(message.message, { code: message.code, action: message.action }));
      else reject(new Error(`the engine thread began with ${message.type}`));
    });
    void ended.then(() =>
      reject(new CommonweightError('the engine thread ended while it was starting', { code: 'engine_crashed', action: 'retry' })),
    );
  });
  const cancel = clock.after(workerLimits.engineStartMs, () => void worker.terminate());
  try {
    return await ready;
  } catch (error) {
    await worker.terminate();
    throw error;
  } finally {
    cancel();
  }
}
