/** OpenAI's objects, as far as a gateway fills them. */
export interface ChatMessage {
  readonly role: 'system' | 'developer' | 'user' | 'assistant';
  readonly content: string | readonly { readonly type: 'text'; readonly text: string }[];
}

/** Any field of `POST /v1/chat/completions` that the gateway knows. */
export interface ChatParams {
  /** A model id (`0x` and 64 digits), or a name that `models` of the client maps to one, or that the gateway knows. */
  readonly model: string;
  readonly messages: readonly ChatMessage[];
  readonly max_tokens?: number;
  readonly max_completion_tokens?: number;
  readonly temperature?: number;
  readonly seed?: number;
  readonly stop?: string | readonly string[];
  readonly provider?: { readonly only?: readonly string[]; readonly order?: readonly string[]; readonly ignore?: readonly string[] };
  readonly [field: string]: unknown;
}

export interface Usage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
}

interface Head {
  readonly id: string;
  readonly created: number;
  readonly model: string;
}

export interface ChatCompletion extends Head {
  readonly object: 'chat.completion';
  readonly choices: readonly {
    readonly index: number;
    readonly message: { readonly role: 'assistant'; readonly content: string | null };
    readonly finish_reason: string;
    readonly logprobs: unknown;
  }[];
  readonly usage: Usage;
  readonly receipt: unknown;
}

export interface ChatCompletionChunk extends Head {
  readonly object: 'chat.completion.chunk';
  readonly choices: readonly {
    readonly index: number;
    readonly delta: { readonly role?: 'assistant'; readonly content?: string };
    readonly finish_reason: string | null;
    readonly logprobs: unknown;
  }[];
  readonly usage?: Usage | null;
  /** On the last chunk. */
  readonly receipt?: unknown;
  /** Beside it, where the caller paid: what `PAYMENT-RESPONSE` would say. */
  readonly payment_response?: string;
}
