import { CommonweightError, type SamplerSettings, type Sha256, type ThinCommitment, type TokenLogprobs } from '@commonweight/protocol';
import type { Executor, Sequence } from './executor.ts';
import { limits } from './limits.ts';
import type { TokenVocabulary } from './grammar/token-vocabulary.ts';
import { commitTo } from './residual-commitment.ts';
import { tokenLogprobs } from './sampler/logprobs.ts';
import { NO_ID } from './sampler/not-allowed.ts';
import { Sampler } from './sampler/sampler.ts';

export interface ReexecutionOptions {
  readonly executor: Executor;
  /** One or more. */
  readonly promptIds: readonly number[];
  /** The claimed answer; may be empty. */
  readonly completionIds: readonly number[];
  readonly sampler: SamplerSettings;
  readonly prfKey: Uint8Array;
  /** Ids that may end a text of a grammar, and the bytes of the model's tokens; needed when the sampler has a grammar. */
  readonly stopIds?: readonly number[];
  readonly vocabulary?: TokenVocabulary | undefined;
  /** 0 to 20: the log probability of every claimed id, and those of so many likeliest ids; none by default. */
  readonly logprobs?: number | undefined;
  readonly sha256?: Sha256;
  /** Asked between pieces; true makes it throw a {@link CommonweightError} of code `stopped`. */
  readonly shouldStop?: () => boolean;
}

export interface Reexecution {
  /**
   * What sampling gives at every generated position when the claimed ids stand before it: equal to the claim if and only if the claim is right.
   * Under a grammar -1 where it allows none, and after the first difference, where nothing is sampled any more: a claim must not be able to lead
   * re-execution where the grammar is too ambiguous to follow.
   */
  readonly sampledIds: number[];
  /** Of the claimed ids, when they were asked for. */
  readonly logprobs: TokenLogprobs[];
  /** Over `committedPositions(prompt, completion)` positions. */
  readonly commitment: ThinCommitment;
}

/** Runs prompt and answer through the model again, as one prefill, with head and sampler at every generated position. Yields positions done. */
export function* reexecuteSteps(
  options: ReexecutionOptions,
): Generator<{ readonly done: number; readonly total: number }, Reexecution, void> {
  const { executor, promptIds, completionIds } = options;
  if (promptIds.length === 0)
    throw new CommonweightError('promptIds: expected one or more, got none', { code: 'reexecution', field: 'promptIds' });
  const ids = [...promptIds, ...completionIds.slice(0, -1)];
  const sequence = executor.newSequence(ids.length);
  try {
    return yield* run(options, ids, sequence);
  } finally {
    sequence.release();
  }
}

/** Drains {@link reexecuteSteps}. */
export function reexecute(options: ReexecutionOptions & { readonly onProgress?: (done: number, total: number) => void }): Reexecution {
  const steps = reexecuteSteps(options);
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
    options.onProgress?.(value.done, value.total);
  }
}

function* run(
  {
    executor,
    promptIds,
    completionIds,
    sampler: settings,
    prfKey,
    stopIds = [],
    vocabulary,
    logprobs: top,
    sha256,
    shouldStop,
  }: ReexecutionOptions,
  ids: readonly number[],
  sequence: Sequence,
): Generator<{ readonly done: number; readonly total: number }, Reexecution, void> {
  const { commitment, onResidual } = commitTo(executor.manifest, sha256);
  const sampler = new Sampler({ settings, prfKey, promptIds, stopIds, vocabulary });
  const sampledIds: number[] = [];
  const logprobs: TokenLogprobs[] = [];
  let differs = false;
  const observer = {
    onResidual,
    logitsFrom: completionIds.length > 0 ? promptIds.length - 1 : Infinity,
    onLogits: (_position: number, logits: Int32Array) => {
      const claimed = completionIds[sampledIds.length]!;
      const sampled = differs ? NO_ID : sampler.sample(logits);
      sampledIds.push(sampled);
      differs ||= settings.grammar !== null && sampled !== claimed;
      if (top !== undefined) logprobs.push(tokenLogprobs(logits, claimed, top));
      if (!differs) sampler.accept(claimed);
    },
  };
  while (sequence.length < ids.length) {
    if (shouldStop?.())
      throw new CommonweightError('expected to run to the end, got a request to stop', { code: 'stopped', action: 'retry' });
    executor.forward(sequence, ids.slice(sequence.length, sequence.length + limits.prefillChunk), observer);
    yield { done: sequence.length, total: ids.length };
  }
  return { sampledIds, logprobs, commitment };
}
