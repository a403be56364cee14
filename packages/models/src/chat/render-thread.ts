import { Worker } from 'node:worker_threads';
import { CommonweightError } from '@commonweight/protocol';
import { limits } from '../limits.ts';
import type { RenderAnswer, RenderJob, RenderSetup } from './render-protocol.ts';

interface Running {
  readonly worker: Worker;
  /** Resolves when the thread can take a job; its time does not count as rendering. */
  readonly ready: Promise<unknown>;
}

// A thread runs compiled code only: from the sources (tests) it is the build beside them.
const workerUrl = new URL(import.meta.url.endsWith('.ts') ? '../../dist/chat/render-worker.js' : './render-worker.js', import.meta.url);

const fail = (reason: string, code = 'chat_template'): CommonweightError => new CommonweightError(`chat template: ${reason}`, { code, field: 'messages' });

/**
 * One warm thread that renders one chat after the other. A job that takes too long, or more memory than allowed, costs its caller an error
 * and the thread its life; the next job gets a new thread.
 */
export class RenderThread {
  readonly #setup: RenderSetup;
  readonly #milliseconds: number;
  #worker: Running | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  #closed = false;

  constructor(template: string, milliseconds: number = limits.renderMilliseconds) {
    this.#setup = { template, maximumLength: limits.textLength };
    this.#milliseconds = milliseconds;
  }

  async render(job: RenderJob): Promise<string> {
    if (this.#waiting >= limits.renderQueue) {
      throw new CommonweightError(`chat template: expected at most ${limits.renderQueue} chats in line`, { code: 'render_queue', action: 'retry' });
    }
    this.#waiting++;
    const mine = this.#last.then(() => this.#renderNow(job));
    this.#last = mine.catch(() => undefined);
    try {
      return await mine;
    } finally {
      this.#waiting--;
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    const running = this.#worker;
    this.#worker = undefined;
    await running?.worker.terminate();
  }

  /** Starts the thread ahead of the first chat. */
  warm(): void {
    this.#start();
  }

  #start(): Running {
    if (this.#closed) throw fail('the renderer was closed', 'closed');
    if (this.#worker) return this.#worker;
    const worker = new Worker(workerUrl, {
      workerData: this.#setup,
      env: {},
      resourceLimits: { maxOldGenerationSizeMb: limits.renderHeapMegabytes },
    });
    worker.unref();
    // Failures between jobs only cost the thread; those during a job are reported by the job's own listeners.
    worker.on('error', () => this.#drop(worker));
    worker.on('exit', () => this.#drop(worker));
    const ready = new Promise((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', (error) => reject(fail(`the render thread did not start: ${error.message}`)));
      worker.once('exit', () => reject(fail('the render thread ended before it was ready')));
    });
    ready.catch(() => undefined); // Reported by the job that waits for it, if there is one.
    return (this.#worker = { worker, ready });
  }

  #drop(worker: Worker): void {
    if (this.#worker?.worker === worker) this.#worker = undefined;
  }

  async #renderNow(job: RenderJob): Promise<string> {
    const { worker, ready } = this.#start();
    worker.ref();
    await ready;
    let timer: NodeJS.Timeout | undefined;
    let failed: ((error: Error) => void) | undefined;
    let exited: (() => void) | undefined;
    try {
      const answer = await new Promise<RenderAnswer>((resolve, reject) => {
        const late = (): void => reject(fail(`not rendered within ${this.#milliseconds} ms`, 'chat_template_timeout'));
        // One more turn of the loop: where this process was busy itself, the answer may be waiting already.
        timer = setTimeout(() => setImmediate(late), this.#milliseconds);
        worker.once('message', resolve);
        worker.once('error', (failed = (error) => reject(fail(`the render thread failed: ${error.message}`))));
        worker.once('exit', (exited = () => reject(fail('the render thread ended'))));
        worker.postMessage(job);
      });
      if ('error' in answer) throw fail(answer.error);
      return answer.text;
    } catch (error) {
      if ((error as CommonweightError).code === 'chat_template_timeout') {
        this.#drop(worker);
        await worker.terminate();
      }
      throw error;
    } finally {
      clearTimeout(timer);
      if (failed) worker.off('error', failed);
      if (exited) worker.off('exit', exited);
      worker.removeAllListeners('message');
      worker.unref();
    }
  }
}
