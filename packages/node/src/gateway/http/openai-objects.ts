import { type LogprobEntry, bundleToJson } from '@commonweight/protocol';
import type { Completion } from '../run/complete.ts';
import type { ChatModel } from '../text/chat-model.ts';

/** What all objects of one answer share. */
export interface AnswerHead {
  readonly id: string;
  /** Unix seconds. */
  readonly created: number;
  readonly model: ChatModel;
}

const systemFingerprint = (model: ChatModel): string => `fp_${model.modelId.slice(2, 14)}`;

const head = ({ id, created, model }: AnswerHead, object: string) => ({
  id,
  object,
  created,
  model: model.name,
  system_fingerprint: systemFingerprint(model),
  service_tier: 'default',
});

/** What an answer is made of when it has passed every check. */
type Finished = Pick<Completion, 'bundle' | 'cachedTokens' | 'settlement'>;

/** Tokens as the receipt counts them: an id that ended the answer is one of them. What was cached the node says alone. */
const usageOf = ({
  cachedTokens,
  bundle: {
    receipt: { promptTokens, completionTokens },
  },
}: Finished) => ({
  prompt_tokens: promptTokens,
  completion_tokens: completionTokens,
  total_tokens: promptTokens + completionTokens,
  prompt_tokens_details: { cached_tokens: cachedTokens },
});

/** OpenAI's object; null when none were asked for. */
type ChoiceLogprobs = { readonly content: readonly LogprobEntry[]; readonly refusal: null } | null;

export interface Answer {
  readonly content: string;
  readonly logprobs: readonly LogprobEntry[] | undefined;
  readonly finishReason: string;
}

const choiceLogprobs = (content: readonly LogprobEntry[] | undefined): ChoiceLogprobs => (content ? { content, refusal: null } : null);

export const completionObject = (of: AnswerHead, { content, logprobs, finishReason }: Answer, finished: Finished) => ({
  ...head(of, 'chat.completion'),
  choices: [
    {
      index: 0,
      message: { role: 'assistant', content, refusal: null },
      logprobs: choiceLogprobs(logprobs),
      finish_reason: finishReason,
    },
  ],
  usage: usageOf(finished),
  receipt: bundleToJson(finished.bundle),
});

export interface Delta {
  readonly role?: 'assistant';
  readonly content?: string;
}

export interface Chunk {
  readonly delta: Delta;
  readonly logprobs?: readonly LogprobEntry[] | undefined;
  readonly finishReason?: string;
}

/** @param usage - whether the client asked for usage: then every chunk has the field. */
export const chunkObject = (of: AnswerHead, { delta, logprobs, finishReason }: Chunk, usage: boolean) => ({
  ...head(of, 'chat.completion.chunk'),
  choices: [{ index: 0, delta, logprobs: choiceLogprobs(logprobs), finish_reason: finishReason ?? null }],
  ...(usage && { usage: null }),
});

/** The last chunk: no choices, the bundle, and usage when it was asked for. Named events would break popular clients. */
export const receiptChunk = (of: AnswerHead, finished: Finished, usage: boolean) => ({
  ...head(of, 'chat.completion.chunk'),
  choices: [],
  ...(usage && { usage: usageOf(finished) }),
  receipt: bundleToJson(finished.bundle),
  // a stream's headers are long gone: what PAYMENT-RESPONSE would say stands here
  ...(finished.settlement !== undefined && { payment_response: finished.settlement }),
});
