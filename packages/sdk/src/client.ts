import {
  type Bundle,
  type Hex32,
  Overcharged,
  type PaymentRequired,
  isAddress,
  isHex32,
  parsePaymentRequired,
  paymentHeaders,
} from '@commonweight/protocol';
import type { VerifierModel } from '@commonweight/verifier';
import type { CheckedCompletion, Verified } from './answer.ts';
import { ChatStream } from './chat-stream.ts';
import { type CheckOptions, type Shown, checkAnswer } from './check-answer.ts';
import { AnswerRefused, ApiError, PaymentRefused } from './errors.ts';
import type { NetworkFacts } from './facts.ts';
import { limits } from './limits.ts';
import { Payer, type SignedPayment, type WalletOptions } from './pay/payer.ts';
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
  /** Pays nodes that ask for money, within these caps; needs `facts`, and a gateway that passes payments on. */
  readonly wallet?: WalletOptions;
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
  readonly #payer: Payer | undefined;
  /** Hashes of the requests that were answered, oldest first. */
  readonly #answered = new Set<Hex32>();

  constructor(options: ClientOptions) {
    this.#options = options;
    this.#platform = options.platform ?? webPlatform;
    this.#checks = { facts: options.facts, models: options.models ?? {}, model: options.model, now: this.#platform.now };
    if (options.wallet && !options.facts)
      throw new PaymentRefused('wallet: needs facts: who may be paid, and how much, only the chain can tell', 'payment_not_possible');
    this.#payer = options.wallet && options.facts && new Payer(options.wallet, options.facts, this.#platform);
    const create = (params: ChatParams, call: CallOptions = {}): Promise<ChatStream | CheckedCompletion> =>
      params['stream'] === true ? this.#stream(params, call) : this.#whole(params, call);
    this.chat = { completions: { create: create as Create } };
  }

  async #whole(params: ChatParams, call: CallOptions): Promise<CheckedCompletion> {
    const since = this.#platform.now();
    const { response, payment } = await this.#send(params, call);
    try {
      const body = parse(await readBounded(response, limits.bodyBytes)) as ChatCompletion;
      const [choice] = Array.isArray(body.choices) ? body.choices : [];
      if (!choice || body.choices.length !== 1) throw new AnswerRefused('expected an answer with one choice', 'malformed');
      const settlement = response.headers.get(paymentHeaders.response) ?? undefined;
      const answer = { receipt: body.receipt, text: choice.message.content ?? '', settlement, since };
      return { ...body, commonweight: await this.#check(params, answer, payment) };
    } finally {
      payment?.lost();
    }
  }

  async #stream(params: ChatParams, call: CallOptions): Promise<ChatStream> {
    const since = this.#platform.now();
    const { response, payment } = await this.#send(params, call);
    if (!response.body) {
      payment?.lost();
      throw new AnswerRefused('the gateway sent no body', 'malformed');
    }
    return new ChatStream(response.body, {
      check: ({ receipt, payment_response: settlement }, text) => this.#check(params, { receipt, text, settlement, since }, payment),
      // without effect when the receipt has come
      over: () => payment?.lost(),
    });
  }

  async #check(params: ChatParams, shown: Settled, payment: SignedPayment | undefined): Promise<Verified> {
    const { bundle, report, amount } = await checkAnswer(params, shown, this.#checks);
    this.#requireNew(bundle);
    const { settlement } = shown;
    if (!payment) return { bundle, report, paid: amount };
    try {
      return { bundle, report, paid: payment.charged(bundle, settlement) };
    } catch (error) {
      if (!(error instanceof Overcharged)) throw error;
      throw new AnswerRefused(`node ${bundle.receipt.node}: ${error.message}; nothing more is paid to it here`, error.code, report);
    }
  }

  /** One answer is sold once. What is too old to be remembered is refused for its time. */
  #requireNew({ receipt }: Bundle): void {
    const { requestHash } = receipt;
    if (this.#answered.has(requestHash))
      throw new AnswerRefused(`request ${requestHash} was answered before: an answer was asked for, not the same again`, 'repeated');
    this.#answered.add(requestHash);
    const [oldest] = this.#answered;
    if (this.#answered.size > limits.answered && oldest !== undefined) this.#answered.delete(oldest);
  }

  /** Sends unpaid, pays when that is asked for, and once more when the sum of the channel was corrected. */
  async #send(params: ChatParams, { signal }: CallOptions): Promise<{ response: Response; payment: SignedPayment | undefined }> {
    let payment: SignedPayment | undefined;
    try {
      for (let left: number = limits.sends; ; left--) {
        const response = await this.#post(params, payment?.header, signal);
        if (response.ok) {
          payment?.accepted();
          return { response, payment };
        }
        const required = response.status === 402 ? response.headers.get(paymentHeaders.required) : null;
        if (required === null) throw await apiError(response);
        await response.body?.cancel();
        const demand = parsePaymentRequired(required);
        const again = payment ? await payment.refused(demand) : true;
        if (!again || left === 1)
          throw new PaymentRefused(`the node did not take the payment: ${demand.error ?? 'it gives no reason'}`, 'payment_not_taken');
        payment = await this.#pay(demand, params, response);
      }
    } catch (error) {
      // without effect on a payment that was refused; else it was given up before there was a receipt, or so it is said
      payment?.lost();
      throw error;
    }
  }

  #pay(demand: PaymentRequired, params: ChatParams, response: Response): Promise<SignedPayment> {
    if (!this.#payer) throw new PaymentRefused('the gateway asks for a payment; give the client a wallet', 'payment_not_possible');
    const node = response.headers.get('x-commonweight-node');
    if (!isAddress(node)) throw new PaymentRefused('the gateway does not say which node asks', 'payment_not_possible');
    const modelId = isHex32(params.model) ? params.model : this.#checks.models[params.model];
    if (modelId === undefined)
      throw new PaymentRefused(
        `which model ${JSON.stringify(params.model)} is has to be said before it is paid for: give models: { ${JSON.stringify(params.model)}: '0x...' }`,
        'payment_not_possible',
      );
    return this.#payer.pay(demand, { node, modelId });
  }

  #post(params: ChatParams, payment: string | undefined, signal: AbortSignal | undefined): Promise<Response> {
    const { baseURL, apiKey } = this.#options;
    return this.#platform.fetch(`${baseURL.replace(/\/+$/, '')}/chat/completions`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(apiKey !== undefined && { authorization: `Bearer ${apiKey}` }),
        ...(payment !== undefined && { [paymentHeaders.signature]: payment }),
      },
      body: JSON.stringify(params),
      redirect: 'error',
      ...(signal && { signal }),
    });
  }
}

/** What came of an answer. */
interface Settled extends Shown {
  /** Value of `PAYMENT-RESPONSE`. */
  readonly settlement: string | undefined;
}

async function apiError(response: Response): Promise<ApiError> {
  const body = parse(await readBounded(response, limits.errorBytes), {}) as { readonly error?: Record<string, unknown> };
  return new ApiError(response.status, typeof body.error === 'object' && body.error !== null ? body.error : {});
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
