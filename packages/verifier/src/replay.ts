import { sampleToken } from '@commonweight/engine';
import { type Bundle, CommonweightError, modelIdOf, prfDraw, prfKey, utf8 } from '@commonweight/protocol';
import type { VerifierModel } from './subject.ts';

export interface Replay {
  readonly ids: readonly number[];
  /** Present when the model decodes. */
  readonly text?: string;
  /** UTF-8 of `text`. */
  readonly bytes?: Uint8Array;
}

export interface ReplayInput {
  readonly bundle: Bundle;
  readonly model: VerifierModel;
  readonly onToken?: (index: number, id: number) => void;
}

/**
 * Generates the answer again from the prompt ids by decoding token by token, with the bundle's sampler, seed and stop ids.
 *
 * @throws CommonweightError `replay-model` for weights of another model, `replay-differs` when another id is sampled.
 */
export function replay({ bundle, model, onToken }: ReplayInput): Replay {
  const { promptIds, completionIds, request } = bundle;
  const here = modelIdOf(model.manifest);
  if (here !== request.modelId)
    throw new CommonweightError(`expected the weights of model ${request.modelId}, got ${here}`, { code: 'replay-model' });

  const key = prfKey(here, request.sampler, request.seed, request.choice);
  const ids: number[] = [];
  let sampled: number | undefined;
  const onLogits = (position: number, logits: Int32Array): void => {
    sampled = sampleToken(logits, request.sampler, prfDraw(key, position + 1));
  };
  const sequence = model.executor.newSequence(promptIds.length + Math.max(completionIds.length, 1) - 1);
  try {
    let next = promptIds;
    while (ids.length < completionIds.length) {
      model.executor.forward(sequence, next, { onLogits, logitsFrom: sequence.length + next.length - 1 });
      const claimed = completionIds[ids.length];
      if (sampled === undefined || sampled !== claimed)
        throw differs(ids.length, `the model samples ${sampled}, the bundle holds ${claimed}`);
      ids.push(sampled);
      onToken?.(ids.length - 1, sampled);
      if (request.stopIds.includes(sampled) && ids.length < completionIds.length)
        throw differs(ids.length, `the model stops with ${sampled}, the bundle goes on`);
      next = [sampled];
      sampled = undefined;
    }
  } finally {
    sequence.release();
  }
  const text = model.decode?.(ids);
  return text === undefined ? { ids } : { ids, text, bytes: utf8(text) };
}

const differs = (index: number, what: string): CommonweightError =>
  new CommonweightError(`answer token ${index + 1}: ${what}; run verify for the whole report`, { code: 'replay-differs', action: 'stop' });
