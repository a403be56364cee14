import type { Hex32 } from '@commonweight/protocol';
import type { VerifierModel } from '@commonweight/verifier';
import type { CheckedCompletion, Verified } from './answer.ts';
import { ChatStream } from './chat-stream.ts';
import { type CheckOptions, checkAnswer } from './check-answer.ts';
import { AnswerRefused, ApiError } from './errors.ts';
import type { NetworkFacts } from './facts.ts';
import { limits } from './limits.ts';
import { type Platform, webPlatform } from './platform/web.ts';
import { readBounded } from './read-bounded.ts';
import type { ChatCompletion, ChatParams } from './types.ts';

export interface ClientOptions {
  /** A gateway's API, with `/v1`. */
  readonly baseURL: string;
  /** Sent as a bearer token, where a proxy asks for one. */
  readonly apiKey?: string;
  /** The caller's own view of the chain. Without it nobody is paid, and whose key signed is not known. */
  readonly facts?: NetworkFacts;
  /** Names of models that mean these ids; a name that is not here is taken at the gateway's word. */
  readonly models?: Readonly<Record<string, Hex32>>;
  /** Weights by model id: then every answer is re-executed before it counts (synchronous, about one prefill). */
  readonly model?: (modelId: Hex32) => VerifierModel | undefined;
  readonly platform?: Platform;
}

export interface CallOptions {
  readonly signal?: AbortSignal;
}

interface Create {
  (params: ChatParams & { readonly stream: true }, options?: CallOptions): Promise<ChatStream>;
  (params: ChatParams & { readonly stream?: false }, options?: CallOptions): Promise<CheckedCompletion>;
}

/**
 * An OpenAI-shaped client that checks every receipt.
 *
 * @example
 * const client = new CommonweightClient({ baseURL: 'http://127.0.0.1:8000/v1' });
 * const stream = await client.chat.completions.create({ model, messages, stream: true });
 * for await (const chunk of stream) process.stdout.write(chunk.choices[0]?.delta.content ?? '');
 * console.log(stream.commonweight?.report.summary);
 */
export class CommonweightClient {
  readonly chat: { readonly completions: { readonly create: Create } };
  readonly #options: ClientOptions;
  readonly #platform: Platform;
  readonly #checks: CheckOptions;

  constructor(options: ClientOptions) {
    this.#options = options;
    this.#platform = options.platform ?? webPlatform;
    this.#checks = { facts: options.facts, models: options.models ?? {}, model: options.model };
    const create = (params: ChatParams, call: CallOptions = {}): Promise<ChatStream | CheckedCompletion> =>
      params['stream'] === true ? this.#stream(params, call) : this.#whole(params, call);
    this.chat = { completions: { create: create as Create } };
  }

  async #whole(params: ChatParams, call: CallOptions): Promise<CheckedCompletion> {
    const response = await this.#send(params, call);
    const body = parse(await readBounded(response, limits.bodyBytes)) as ChatCompletion;
    const [choice] = Array.isArray(body.choices) ? body.choices : [];
    if (!choice || body.choices.length !== 1) throw new AnswerRefused('expected an answer with one choice', 'malformed');
    return { ...body, commonweight: await this.#check(params, body.receipt, choice.message.content ?? '') };
  }

  async #stream(params: ChatParams, call: CallOptions): Promise<ChatStream> {
    const response = await this.#send(params, call);
    if (!response.body) throw new AnswerRefused('the gateway sent no body', 'malformed');
    return new ChatStream(response.body, { check: (chunk, text) => this.#check(params, chunk.receipt, text), over: () => undefined });
  }

  async #check(params: ChatParams, receipt: unknown, text: string): Promise<Verified> {
    const { bundle, report, amount } = await checkAnswer(params, receipt, text, this.#checks);
    return { bundle, report, paid: amount };
  }

  async #send(params: ChatParams, { signal }: CallOptions): Promise<Response> {
    const { baseURL, apiKey } = this.#options;
    const headers = { 'content-type': 'application/json', ...(apiKey !== undefined && { authorization: `Bearer ${apiKey}` }) };
    const response = await this.#platform.fetch(`${baseURL.replace(/\/+$/, '')}/chat/completions`, {
      method: 'POST',
      headers,
      body: JSON.stringify(params),
      redirect: 'error',
      ...(signal && { signal }),
    });
    if (response.ok) return response;
    const body = parse(await readBounded(response, limits.errorBytes), {}) as { readonly error?: Record<string, unknown> };
    throw new ApiError(response.status, typeof body.error === 'object' && body.error !== null ? body.error : {});
  }
}

function parse(text: string, otherwise?: unknown): unknown {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return value;
  } catch {
    // below
  }
  if (otherwise !== undefined) return otherwise;
  throw new AnswerRefused('the gateway sent no JSON object', 'malformed');
}
