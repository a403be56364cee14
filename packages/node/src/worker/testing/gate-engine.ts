import { noPrefixes } from '@commonweight/engine';
import type { Manifest } from '@commonweight/protocol';
import { committedPositions, modelIdOf } from '@commonweight/protocol';
import type { EngineEvents, EngineHost, EngineJob, EngineResult, EngineStatus } from '../engine-host.ts';

/** An engine whose pace the test sets: each call of {@link step} lets the running job make one token. Digests are zeros. */
export class GateEngine implements EngineHost {
  readonly manifest: Manifest;
  readonly modelId;
  /** Jobs that were begun. */
  readonly jobs: EngineJob[] = [];
  /** Thrown by the next job, if set. */
  failure: Error | undefined;
  /** Resolves when the running job has been told to stop. */
  stopped: Promise<void> = Promise.resolve();
  #steps = 0;
  #wake: (() => void) | undefined;

  constructor(manifest: Manifest) {
    this.manifest = manifest;
    this.modelId = modelIdOf(manifest);
  }

  status(): EngineStatus {
    return { backend: 'gate', prefixCache: noPrefixes };
  }

  step(count = 1): void {
    this.#steps += count;
    this.#wake?.();
  }

  async run(job: EngineJob, events: EngineEvents, signal: AbortSignal): Promise<EngineResult> {
    this.jobs.push(job);
    const failure = this.failure;
    this.failure = undefined;
    const completionIds: number[] = [];
    const wake = (): void => this.#wake?.();
    signal.addEventListener('abort', wake);
    this.stopped = new Promise((resolve) => signal.addEventListener('abort', () => resolve()));
    const result = (finish: EngineResult['finish']): EngineResult => ({
      completionIds,
      finish,
      digests: new Uint8Array(
        32 * this.manifest.graph.commitPoints.length * committedPositions(job.promptIds.length, completionIds.length),
      ),
    });
    try {
      for (;;) {
        while (this.#steps === 0 && !signal.aborted) await new Promise<void>((resolve) => (this.#wake = resolve));
        if (failure) throw failure;
        if (signal.aborted) {
          // stopped within the prompt: nothing is committed to
          return completionIds.length === 0 ? { ...result('stopped'), digests: new Uint8Array(0) } : result('stopped');
        }
        this.#steps--;
        const id = 3 + completionIds.length;
        completionIds.push(id);
        events.onToken(completionIds.length - 1, id);
        if (job.stopIds.includes(id)) return result('stop_id');
        if (completionIds.length === job.maxTokens) return result('length');
      }
    } finally {
      signal.removeEventListener('abort', wake);
    }
  }

  async close(): Promise<void> {}
}
