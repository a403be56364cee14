import { Worker } from 'node:worker_threads';
import type { PrefixCacheStats } from '@commonweight/engine';
import { CommonweightError, type Manifest, type ModelId } from '@commonweight/protocol';
import { workerLimits } from '../limits.ts';
import type { Clock } from '../platform/clock.ts';
import type { EngineEvents, EngineHost, EngineJob, EngineResult, EngineSettings, EngineStatus } from './engine-host.ts';
import { EngineJobs } from './engine-jobs.ts';
import type { EngineBackend, EngineMessage, EngineThreadData } from './engine-messages.ts';
import type { WorkerLog } from './log.ts';

/** The built file: also this source run by a test starts the built thread, since threads load no TypeScript. */
const builtThread = new URL('../../dist/worker/engine-thread.js', import.meta.url);

export interface ThreadEngineOptions {
  readonly settings: EngineSettings;
  readonly log: WorkerLog;
  readonly clock: Clock;
  /** Program of the thread; tests pass one that crashes. */
  readonly threadUrl?: URL;
}

/** Opens the package in a thread of its own. Rejects when the weights or the engine are not what they should be. */
export async function openThreadEngine(packageDir: string, options: ThreadEngineOptions): Promise<EngineHost> {
  const first = await startThread(packageDir, options);
  const { name, reason = null } = first.backend;
  options.log.info('engine_backend', { backend: name, reason });
  return new ThreadEngineHost(packageDir, options, first);
}

interface Thread {
  readonly worker: Worker;
  readonly manifest: Manifest;
  readonly modelId: ModelId;
  readonly backend: EngineBackend;
  /** At its start. */
  readonly prefixCache: PrefixCacheStats;
  readonly jobs: EngineJobs;
  /** Resolves when the thread has ended, for whatever reason. */
  readonly ended: Promise<void>;
}

class ThreadEngineHost implements EngineHost {
  readonly manifest: Manifest;
  readonly modelId: ModelId;
  readonly #packageDir: string;
  readonly #options: ThreadEngineOptions;
  #thread: Promise<Thread>;
  #status: EngineStatus;
  #restarts = 0;
  #closed = false;

  constructor(packageDir: string, options: ThreadEngineOptions, first: Thread) {
    this.manifest = first.manifest;
    this.modelId = first.modelId;
    this.#packageDir = packageDir;
    this.#options = options;
    this.#thread = Promise.resolve(first);
    this.#status = this.#watch(first);
  }

  readonly status = (): EngineStatus => this.#status;

  async run(job: EngineJob, events: EngineEvents, signal: AbortSignal): Promise<EngineResult> {
    const thread = await this.#thread;
    const result = await thread.jobs.run(job, events, signal);
    this.#restarts = 0;
    return result;
  }

  async close(): Promise<void> {
    this.#closed = true;
    const thread = await this.#thread.catch(() => undefined);
    await thread?.worker.terminate();
  }

  #watch(thread: Thread): EngineStatus {
    const { name: backend } = thread.backend;
    thread.worker.on('message', (message: EngineMessage) => {
      if (!('job' in message)) return;
      if (message.type === 'done') this.#status = { backend, prefixCache: message.prefixCache };
      if (message.type === 'failed' && message.origin) this.#options.log.error('engine_run_failed', { ...message.origin });
      thread.jobs.hear(message);
    });
    void thread.ended.then(() => {
      thread.jobs.crash();
      if (this.#closed) return;
      this.#options.log.error('engine_crashed', { restarts: this.#restarts });
      this.#thread = this.#restart();
      // a restart that fails is reported by the next run
      this.#thread.catch(() => undefined);
    });
    return { backend, prefixCache: thread.prefixCache };
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
        this.#status = this.#watch(thread);
        return thread;
      } catch (error) {
        if (error instanceof CommonweightError && error.action === 'stop') throw error;
      }
    }
  }
}

async function startThread(packageDir: string, { threadUrl = builtThread, settings, clock, log }: ThreadEngineOptions): Promise<Thread> {
  const worker = new Worker(threadUrl, { workerData: { packageDir, settings } satisfies EngineThreadData });
  const jobs = new EngineJobs((command) => worker.postMessage(command));
  const ended = new Promise<void>((resolve) => {
    worker.once('exit', () => resolve());
    worker.on('error', (error) => log.error('engine_crashed', { name: error.name }));
  });
  const ready = new Promise<Thread>((resolve, reject) => {
    worker.once('message', (message: EngineMessage) => {
      if (message.type === 'ready') resolve({ ...message, worker, jobs, ended });
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
