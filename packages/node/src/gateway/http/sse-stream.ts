import { gatewayLimits as limits } from '../../limits.ts';
import type { Clock } from '../../platform/clock.ts';

/**
 * Server-sent events as a body. What a slow reader has not taken yet is held: an answer is bounded by the model's context.
 * A comment is written whenever nothing was for a while, so that nobody in between takes the connection for dead.
 */
export class SseStream {
  readonly readable: ReadableStream<Uint8Array>;
  readonly #encoder = new TextEncoder();
  readonly #clock: Clock;
  #controller!: ReadableStreamDefaultController<Uint8Array>;
  #open = true;
  #cancelKeepalive: () => void;

  /** @param onGone - called when the reader goes away before the end. */
  constructor(clock: Clock, onGone: () => void) {
    this.#clock = clock;
    this.readable = new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.#controller = controller;
      },
      cancel: () => {
        this.#finish();
        onGone();
      },
    });
    this.#cancelKeepalive = this.#keepalive();
  }

  data(value: unknown): void {
    this.#write(`data: ${JSON.stringify(value)}\n\n`);
  }

  /** The end that OpenAI's clients wait for. */
  done(): void {
    this.#write('data: [DONE]\n\n');
    this.close();
  }

  close(): void {
    if (!this.#open) return;
    this.#finish();
    this.#controller.close();
  }

  #write(text: string): void {
    if (!this.#open) return;
    this.#controller.enqueue(this.#encoder.encode(text));
    this.#cancelKeepalive();
    this.#cancelKeepalive = this.#keepalive();
  }

  #keepalive(): () => void {
    return this.#clock.after(limits.keepaliveMs, () => this.#write(': keepalive\n\n'));
  }

  #finish(): void {
    this.#open = false;
    this.#cancelKeepalive();
  }
}

export const sseHeaders = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-cache, no-transform',
  'x-accel-buffering': 'no',
} as const;
