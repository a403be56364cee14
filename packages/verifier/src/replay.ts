import { generateSteps } from '@commonweight/engine';
import { type AskedPart, CommonweightError, modelIdOf, prfKey, utf8 } from '@commonweight/protocol';
import type { VerifierModel } from './subject.ts';

export interface Replay {
  readonly ids: readonly number[];
  /** Present when the model decodes. */
  readonly text?: string;
  /** UTF-8 of `text`. */
  readonly bytes?: Uint8Array;
}

export interface ReplayInput {
  /** A bundle, or a partial one: then the tokens that it covers. */
  readonly bundle: AskedPart;
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

  const steps = generateSteps({
    executor: model.executor,
    promptIds,
    sampler: request.sampler,
    ...(request.sampler.grammar && { vocabulary: model.vocabulary?.() }),
    prfKey: prfKey(here, request.sampler, request.seed, request.choice),
    stopIds: request.stopIds,
    maxTokens: completionIds.length,
  });
  const ids: number[] = [];
  for (const step of steps) {
    if (step.type === 'prefill') continue;
    const claimed = completionIds[step.index];
    if (step.id !== claimed) throw differs(step.index, `the model samples ${step.id}, the bundle holds ${claimed}`);
    ids.push(step.id);
    onToken?.(step.index, step.id);
  }
  if (ids.length < completionIds.length) throw differs(ids.length, `the model stops with ${ids.at(-1)}, the bundle goes on`);
  const text = model.decode?.(ids);
  return text === undefined ? { ids } : { ids, text, bytes: utf8(text) };
}

const differs = (index: number, what: string): CommonweightError =>
  new CommonweightError(`answer token ${index + 1}: ${what}; run verify for the whole report`, { code: 'replay-differs', action: 'stop' });
