import { CommonweightError, type SamplerSettings, type Sha256, type ThinCommitment } from '@commonweight/protocol';
import type { Executor, Sequence } from './executor.ts';
import { limits } from './limits.ts';
import { commitTo } from './residual-commitment.ts';
import { Sampler } from './sampler/sampler.ts';

export interface GenerationOptions {
  readonly executor: Executor;
  /** One or more. */
  readonly promptIds: readonly number[];
  readonly sampler: SamplerSettings;
  /** See `prfKey` of the protocol: completion token i is drawn with position `promptIds.length + i`. */
  readonly prfKey: Uint8Array;
  /** Ids that end the answer; the id itself is part of it. */
  readonly stopIds: readonly number[];
  /** 0 runs the prompt alone. */
  readonly maxTokens: number;
  readonly sha256?: Sha256;
  /** Asked between tokens and between pieces of the prompt; true ends the run. */
  readonly shouldStop?: () => boolean;
}

export type GenerationStep =
  | { readonly type: 'prefill'; readonly done: number; readonly total: number }
  | { readonly type: 'token'; readonly id: number; readonly index: number };

export interface GenerationResult {
  readonly completionIds: number[];
  readonly finish: 'stop_id' | 'length' | 'stopped';
  /** Over `committedPositions(prompt, completion)` positions; fewer only when it was stopped within the prompt. */
  readonly commitment: ThinCommitment;
}

/**
 * Generates step by step: each `next()` runs one piece of the prompt or one token, so that a worker can look at its messages in between.
 * The sequence's memory is given back when the generator ends or is closed by `return()`.
 */
export function* generateSteps(options: GenerationOptions): Generator<GenerationStep, GenerationResult, void> {
  const { executor, promptIds, maxTokens } = options;
  checkOptions(promptIds, maxTokens);
  const sequence = executor.newSequence(promptIds.length + Math.max(maxTokens, 1) - 1);
  try {
    return yield* run(options, sequence);
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

function* run(options: GenerationOptions, sequence: Sequence): Generator<GenerationStep, GenerationResult, void> {
  const { executor, promptIds, prfKey, maxTokens, sha256 } = options;
  const { commitment, onResidual } = commitTo(executor.manifest, sha256);
  const sampler = new Sampler({ settings: options.sampler, prfKey, promptIds });
  const stopIds = new Set(options.stopIds);
  const completionIds: number[] = [];
  const stopped = (): boolean => options.shouldStop?.() ?? false;
  const result = (finish: GenerationResult['finish']): GenerationResult => ({ completionIds, finish, commitment });

  const total = promptIds.length;
  let sampled = -1;
  const observer = {
    onResidual,
    logitsFrom: maxTokens > 0 ? total - 1 : Infinity,
    onLogits: (_position: number, logits: Int32Array) => {
      sampled = sampler.sample(logits);
    },
  };
  while (sequence.length < total) {
    if (stopped()) return result('stopped');
    executor.forward(sequence, promptIds.slice(sequence.length, sequence.length + limits.prefillChunk), observer);
    yield { type: 'prefill', done: sequence.length, total };
  }
  while (completionIds.length < maxTokens) {
    if (stopped()) return result('stopped');
    if (completionIds.length > 0) executor.forward(sequence, [sampled], observer);
    completionIds.push(sampled);
    sampler.accept(sampled);
    yield { type: 'token', id: sampled, index: completionIds.length - 1 };
    if (stopIds.has(sampled)) return result('stop_id');
  }
  return result('length');
}

function checkOptions(promptIds: readonly number[], maxTokens: number): void {
  if (promptIds.length === 0)
    throw new CommonweightError('promptIds: expected one or more, got none', { code: 'generation', field: 'promptIds' });
  if (!Number.isSafeInteger(maxTokens) || maxTokens < 0) {
    throw new CommonweightError(`maxTokens: expected 0 or more, got ${maxTokens}`, { code: 'generation', field: 'maxTokens' });
  }
}
