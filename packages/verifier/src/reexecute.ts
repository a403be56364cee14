import { reexecuteSteps } from '@commonweight/engine';
import { type AskedPart, type CanonicalRequest, type ThinCommitment, type TokenLogprobs, prfKey } from '@commonweight/protocol';
import { shownTop } from './checks/logprobs.ts';
import type { TokenDifference } from './report.ts';
import type { AskedSubject, VerifierModel } from './subject.ts';

export interface Reexecution {
  readonly thin: ThinCommitment;
  /** Number of generated positions. The sampler ran at all of them; under a grammar up to the first difference. */
  readonly sampled: number;
  /** Of the claimed ids, when they were shown. */
  readonly logprobs: readonly TokenLogprobs[];
  readonly tokenDifference?: TokenDifference;
}

/**
 * Runs prompt and answer through the model as one prefill, and head and sampler at every generated position.
 * Returns undefined when `shouldStop` ended it.
 */
export function reexecute(input: AskedSubject, { executor, vocabulary }: VerifierModel): Reexecution | undefined {
  const { bundle, answerLogprobs, onProgress, shouldStop, sha256 } = input;
  const { promptIds, completionIds, request } = bundle;
  const steps = reexecuteSteps({
    executor,
    promptIds,
    completionIds,
    sampler: request.sampler,
    stopIds: request.stopIds,
    ...(request.sampler.grammar && { vocabulary: vocabulary?.() }),
    prfKey: prfKey(request.modelId, request.sampler, request.seed, request.choice),
    ...(answerLogprobs && { logprobs: shownTop(answerLogprobs) }),
    ...(sha256 && { sha256 }),
  });
  try {
    for (;;) {
      if (shouldStop?.()) return undefined;
      const { done, value } = steps.next();
      if (!done) {
        onProgress?.(value.done, value.total);
        continue;
      }
      const tokenDifference = firstDifference(bundle, value.sampledIds);
      const { commitment: thin, logprobs } = value;
      return { thin, sampled: value.sampledIds.length, logprobs, ...(tokenDifference && { tokenDifference }) };
    }
  } finally {
    // gives the sequence's memory back when the run was interrupted
    steps.return(undefined as never);
  }
}

function firstDifference({ promptIds, completionIds }: AskedPart, sampledIds: readonly number[]): TokenDifference | undefined {
  const index = completionIds.findIndex((id, i) => id !== sampledIds[i]);
  if (index < 0) return undefined;
  return { position: promptIds.length + index, index, claimed: completionIds[index]!, sampled: sampledIds[index]! };
}

export const NEEDS_VOCABULARY = "needs the tokenizer of the request's model: the answer was made under a grammar";

/** What a grammar allows is said in bytes, so that re-execution needs those of the tokens. */
export const lacksVocabulary = ({ sampler }: CanonicalRequest, { vocabulary }: VerifierModel): boolean =>
  sampler.grammar !== null && !vocabulary;
