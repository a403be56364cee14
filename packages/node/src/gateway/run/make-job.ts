import { CommonweightError, type Hex, type Manifest, type SamplerSettings, samplerSettings, toHex, uintBE } from '@commonweight/protocol';
import { invalid } from '../api-error.ts';
import type { ChatRequest } from '../schema/chat-request.ts';
import { grammarOf } from '../schema/response-format.ts';
import type { ChatModel } from '../text/chat-model.ts';
import type { Job } from './job.ts';

/** A user's seed as 16 bytes, two's complement, big-endian. */
const seedBytes = (seed: number): Hex => toHex(uintBE(BigInt.asUintN(128, BigInt(seed)), 16));

/**
 * Renders a chat request and applies the manifest's defaults. Without `max_tokens` an answer may take what the context leaves.
 *
 * @param drawSeed - 16 random bytes, when the user gave no seed.
 * @throws ApiError 400 when prompt and answer do not fit the context.
 */
export async function makeJob(request: ChatRequest, model: ChatModel, drawSeed: () => Hex): Promise<Job> {
  const { graph } = model.manifest;
  const [field, wanted] = answerLimit(request);
  const promptIds = await render(request, model);
  const left = graph.context - promptIds.length;
  if (left < 1) {
    const message = `messages: the prompt has ${promptIds.length} tokens; this model's context of ${graph.context} must hold it and at least one token of the answer`;
    throw invalid('messages', message, 'context_length_exceeded');
  }
  if (wanted !== undefined && wanted > left) {
    const message = `${field}: ${promptIds.length} prompt tokens and ${wanted} of the answer exceed this model's context of ${graph.context}; ask for at most ${left}`;
    throw invalid(field, message, 'context_length_exceeded');
  }
  checkIds(request, graph.vocabulary);
  return {
    model,
    promptIds,
    sampler: samplerOf(request, model.manifest),
    logprobs: request.logprobs ? (request.top_logprobs ?? 0) : undefined,
    seed: typeof request.seed === 'number' ? seedBytes(request.seed) : drawSeed(),
    maxTokens: wanted ?? left,
    stopStrings: request.stop ?? [],
    provider: request.provider ?? undefined,
  };
}

function samplerOf(request: ChatRequest, { generation, graph }: Manifest): SamplerSettings {
  const topK = request.top_k ?? generation.topK;
  const off = samplerSettings();
  return {
    temperature: request.temperature ?? generation.temperature,
    // all of the vocabulary is the same as no limit: one spelling for one sampler
    topK: topK >= graph.vocabulary ? 0 : topK,
    topP: request.top_p ?? generation.topP,
    minP: request.min_p ?? off.minP,
    repetitionPenalty: request.repetition_penalty ?? off.repetitionPenalty,
    presencePenalty: request.presence_penalty ?? off.presencePenalty,
    frequencyPenalty: request.frequency_penalty ?? off.frequencyPenalty,
    logitBias: request.logit_bias ?? off.logitBias,
    grammar: grammarOf(request.response_format),
  };
}

function checkIds({ logit_bias: biases, logprobs, top_logprobs: top }: ChatRequest, vocabulary: number): void {
  const strange = biases?.find(([id]) => id >= vocabulary);
  if (strange) throw invalid(`logit_bias.${strange[0]}`, `logit_bias.${strange[0]}: this model has token ids 0 to ${vocabulary - 1}`);
  if (typeof top === 'number' && logprobs !== true) throw invalid('top_logprobs', 'top_logprobs: only allowed with logprobs: true');
}

async function render({ messages }: ChatRequest, model: ChatModel): Promise<readonly number[]> {
  try {
    return await model.render(messages);
  } catch (error) {
    if (!(error instanceof CommonweightError) || error.action !== 'fix-input') throw error;
    throw invalid(error.field?.startsWith('messages') ? error.field : 'messages', error.message, error.code);
  }
}

function answerLimit({ max_tokens: old, max_completion_tokens: current }: ChatRequest): [field: string, limit: number | undefined] {
  if (typeof old === 'number' && typeof current === 'number' && old !== current) {
    throw invalid('max_tokens', `max_tokens: ${old} differs from max_completion_tokens ${current}; give one of them`);
  }
  return typeof current === 'number' ? ['max_completion_tokens', current] : ['max_tokens', old ?? undefined];
}
