import type { Sha256 } from '@commonweight/protocol';
import type { Executor } from './executor.ts';
import { GenerationRun, type GenerationResult, type RunOptions, type SampledToken, positionsOf } from './generation-run.ts';
import { limits } from './limits.ts';

export interface GenerationOptions extends RunOptions {
  readonly executor: Executor;
  readonly sha256?: Sha256;
  /** Asked between tokens and between pieces of the prompt; true ends the run. */
  readonly shouldStop?: () => boolean;
}

export type GenerationStep =
  | { readonly type: 'prefill'; readonly done: number; readonly total: number }
  | ({ readonly type: 'token' } & SampledToken);

/**
 * Generates step by step: each `next()` runs one piece of the prompt or one token, so that a worker can look at its messages in between.
 * The sequence's memory is given back when the generator ends or is closed by `return()`.
 */
export function* generateSteps(options: GenerationOptions): Generator<GenerationStep, GenerationResult, void> {
  const { executor, sha256, shouldStop, promptIds } = options;
  const sequence = executor.newSequence(positionsOf(options));
  try {
    const run = new GenerationRun(options, sequence, executor.manifest, sha256);
    while (run.finish === undefined) {
      if (shouldStop?.()) return run.result('stopped');
      const prefill = !run.prefilled;
      if (!run.hasToken) executor.forward(sequence, run.next(limits.prefillChunk), run.observer);
      if (prefill) yield { type: 'prefill', done: sequence.length, total: promptIds.length };
      else yield { type: 'token', ...run.take() };
    }
    return run.result(run.finish);
  } finally {
    sequence.release();
  }
}

/** Drains {@link generateSteps}; `onToken` hears every token as it comes. */
export function generate(options: GenerationOptions & { readonly onToken?: (id: number, index: number) => void }): GenerationResult {
  const steps = generateSteps(options);
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
    if (value.type === 'token') options.onToken?.(value.id, value.index);
  }
}
