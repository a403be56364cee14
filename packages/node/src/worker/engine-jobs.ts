import { CommonweightError } from '@commonweight/protocol';
import type { EngineEvents, EngineJob, EngineResult } from './engine-host.ts';
import type { EngineCommand, JobMessage } from './engine-messages.ts';

interface OpenJob {
  readonly events: EngineEvents;
  readonly resolve: (result: EngineResult) => void;
  readonly reject: (error: CommonweightError) => void;
}

/** The jobs of one engine thread, from the command to the last message. */
export class EngineJobs {
  readonly #post: (command: EngineCommand) => void;
  readonly #open = new Map<number, OpenJob>();
  #last = 0;
  #crashed = false;

  constructor(post: (command: EngineCommand) => void) {
    this.#post = post;
  }

  async run(input: EngineJob, events: EngineEvents, signal: AbortSignal): Promise<EngineResult> {
    if (this.#crashed) throw engineCrashed();
    const job = ++this.#last;
    const stop = (): void => this.#post({ type: 'stop', job });
    try {
      return await new Promise<EngineResult>((resolve, reject) => {
        this.#open.set(job, { events, resolve, reject });
        this.#post({ type: 'run', job, input });
        signal.addEventListener('abort', stop, { once: true });
        if (signal.aborted) stop();
      });
    } finally {
      this.#open.delete(job);
      signal.removeEventListener('abort', stop);
    }
  }

  hear(message: JobMessage): void {
    const job = this.#open.get(message.job);
    if (!job) return;
    switch (message.type) {
      case 'waiting':
        return job.events.onQueued(message.ahead);
      case 'prefill':
        return job.events.onPrefill(message.done, message.total, message.cached);
      case 'token':
        return job.events.onToken(message.index, message.id, message.logprobs);
      case 'done':
        return job.resolve(message.result);
      case 'failed':
        return job.reject(new CommonweightError(message.message, { code: message.code, action: message.action }));
    }
  }

  /** The thread is gone, and with it every job. */
  crash(): void {
    this.#crashed = true;
    for (const { reject } of this.#open.values()) reject(engineCrashed());
  }
}

const engineCrashed = (): CommonweightError =>
  new CommonweightError('the engine crashed during this run; try again or ask another node', { code: 'engine_crashed', action: 'retry' });
