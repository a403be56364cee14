import { type ChildProcess, fork } from 'node:child_process';
import { CommonweightError } from '@commonweight/protocol';
import { limits } from '../limits.ts';
import { after } from '../platform/timers.ts';
import type { RenderAnswer, RenderJob, RenderSetup } from './render-protocol.ts';

interface Running {
  readonly child: ChildProcess;
  /** Resolves when the process can take a job; its time does not count as rendering. */
  readonly ready: Promise<unknown>;
}

// Node runs compiled code only: from the sources (tests) it is the build beside them.
const childUrl = new URL('../../dist/chat/render-main.js', import.meta.url);

const fail = (reason: string, code = 'chat_template'): CommonweightError =>
  new CommonweightError(`chat template: ${reason}`, { code, field: 'messages' });

/**
 * One warm process that renders one chat after the other. A job that takes too long, or more memory than allowed, costs its caller an error
 * and the process its life; the next job gets a new one.
 */
export class RenderProcess {
  readonly #setup: RenderSetup;
  #running: Running | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  #closed = false;

  constructor(template: string, variables: RenderSetup['variables'], milliseconds: number = limits.renderMilliseconds) {
    this.#setup = { template, variables, maximumLength: limits.textLength, milliseconds };
    this.#start();
  }

  async render(job: RenderJob): Promise<string> {
    if (this.#waiting >= limits.renderQueue) {
      throw new CommonweightError(`chat template: expected at most ${limits.renderQueue} chats in line`, {
        code: 'render_queue',
        action: 'retry',
      });
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

  /** Ends the process and waits until it is gone. */
  async close(): Promise<void> {
    this.#closed = true;
    const child = this.#running?.child;
    if (child) await this.#kill(child);
  }

  #start(): Running {
    if (this.#closed) throw fail('the renderer was closed', 'closed');
    if (this.#running) return this.#running;
    const child = fork(childUrl, [], {
      execArgv: [`--max-old-space-size=${limits.renderHeapMegabytes}`],
      env: {},
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    // Failures between jobs only cost the process; those during a job are reported by the job's own listeners.
    child.on('error', () => this.#drop(child));
    child.on('exit', () => this.#drop(child));
    const ready = new Promise((resolve, reject) => {
      child.once('message', resolve);
      child.once('error', (error) => reject(fail(`the render process did not start: ${error.message}`)));
      child.once('exit', () => reject(fail('the render process ended before it was ready')));
    });
    ready.catch(() => undefined); // Reported by the job that waits for it, if there is one.
    child.send(this.#setup);
    hold(child, false);
    return (this.#running = { child, ready });
  }

  #drop(child: ChildProcess): void {
    if (this.#running?.child === child) this.#running = undefined;
  }

  async #kill(child: ChildProcess): Promise<void> {
    this.#drop(child);
    if (child.exitCode !== null || child.signalCode !== null) return;
    hold(child, true);
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
  }

  async #renderNow(job: RenderJob): Promise<string> {
    const { child, ready } = this.#start();
    hold(child, true);
    let cancel: (() => void) | undefined;
    let exited: (() => void) | undefined;
    try {
      await ready;
      const answer = await new Promise<RenderAnswer>((resolve, reject) => {
        const { milliseconds } = this.#setup;
        const late = (): void => reject(fail(`not rendered within ${milliseconds} ms`, 'chat_template_timeout'));
        // One more turn of the loop: where this process was busy itself, the answer may be waiting already.
        cancel = after(milliseconds, () => setImmediate(late));
        child.once('message', (message) => resolve(message as RenderAnswer));
        child.once('exit', (exited = () => reject(fail('it used too much memory, the render process ended'))));
        child.send(job, (error) => {
          if (error) reject(fail(`the render process cannot be reached: ${error.message}`));
        });
      });
      if ('error' in answer) throw fail(answer.error);
      return answer.text;
    } catch (error) {
      if ((error as CommonweightError).code === 'chat_template_timeout') await this.#kill(child);
      throw error;
    } finally {
      cancel?.();
      if (exited) child.off('exit', exited);
      child.removeAllListeners('message');
      hold(child, false);
    }
  }
}

/** Whether the process keeps this one from ending: only while a job runs. */
function hold(child: ChildProcess, whether: boolean): void {
  if (whether) {
    child.ref();
    child.channel?.ref();
  } else {
    child.unref();
    child.channel?.unref();
  }
}
