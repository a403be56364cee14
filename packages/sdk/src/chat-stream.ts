import type { Verified } from './answer.ts';
import { AnswerRefused, ApiError } from './errors.ts';
import { sseData } from './sse.ts';
import type { ChatCompletionChunk } from './types.ts';

/** What a stream needs when its receipt comes, and when it ends otherwise. */
export interface StreamEnd {
  readonly check: (last: ChatCompletionChunk, text: string) => Promise<Verified>;
  /** The stream is over, however it ended. */
  readonly over: () => void;
}

/**
 * A streamed answer: OpenAI's chunks, as they come. The chunk that carries the receipt is yielded only after the receipt was checked; when it does not hold, iterating
 * throws, and so it does when a stream ends without one. Leaving the loop early hangs up: the gateway then ends the run, and what was delivered is charged.
 */
export class ChatStream implements AsyncIterable<ChatCompletionChunk> {
  readonly #chunks: AsyncGenerator<ChatCompletionChunk>;
  #verified: Verified | undefined;

  constructor(body: ReadableStream<Uint8Array>, end: StreamEnd) {
    this.#chunks = this.#read(body, end);
  }

  /** Set when the stream has been read to its end. */
  get commonweight(): Verified | undefined {
    return this.#verified;
  }

  [Symbol.asyncIterator](): AsyncGenerator<ChatCompletionChunk> {
    return this.#chunks;
  }

  async *#read(body: ReadableStream<Uint8Array>, end: StreamEnd): AsyncGenerator<ChatCompletionChunk> {
    let text = '';
    try {
      for await (const data of sseData(body)) {
        if (data === '[DONE]') break;
        const chunk = readChunk(data);
        for (const { delta } of chunk.choices) text += delta.content ?? '';
        if (chunk.receipt !== undefined) {
          if (this.#verified) throw new AnswerRefused('the stream has two receipts', 'malformed');
          this.#verified = await end.check(chunk, text);
        }
        yield chunk;
      }
      if (!this.#verified) throw new AnswerRefused('the stream ended without a receipt', 'no_receipt');
    } finally {
      end.over();
    }
  }
}

function readChunk(data: string): ChatCompletionChunk {
  let value: unknown;
  try {
    value = JSON.parse(data);
  } catch {
    throw new AnswerRefused('the gateway sent an event that is no JSON', 'malformed');
  }
  if (typeof value !== 'object' || value === null) throw new AnswerRefused('the gateway sent an event that is no object', 'malformed');
  const { error, choices } = value as { error?: unknown; choices?: unknown };
  if (typeof error === 'object' && error !== null) throw new ApiError(502, error as Record<string, unknown>);
  if (!Array.isArray(choices) || choices.length > 1) throw new AnswerRefused('expected a chunk with at most one choice', 'malformed');
  return value as ChatCompletionChunk;
}
