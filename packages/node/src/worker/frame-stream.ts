import { type Frame, encodeFrame, utf8 } from '@commonweight/protocol';
import { workerLimits } from '../limits.ts';

/**
 * Frames on their way to one reader, as newline-delimited JSON. Nothing is encoded before the reader asks for it; a reader that falls
 * too far behind, or goes away, is reported once and gets nothing more.
 */
export class FrameStream {
  readonly readable: ReadableStream<Uint8Array>;
  readonly #limit: number;
  readonly #onGone: () => void;
  #frames: Frame[] = [];
  #wake: (() => void) | undefined;
  #state: 'open' | 'ended' | 'gone' = 'open';

  constructor(onGone: () => void, limit: number = workerLimits.unreadFrames) {
    this.#limit = limit;
    this.#onGone = onGone;
    this.readable = new ReadableStream<Uint8Array>(
      { pull: (controller) => this.#pull(controller), cancel: () => this.#gone() },
      { highWaterMark: 0 },
    );
  }

  /** Frames that the reader has not taken. */
  get unread(): number {
    return this.#frames.length;
  }

  push(frame: Frame): void {
    if (this.#state !== 'open') return;
    if (this.#frames.length >= this.#limit) return this.#gone();
    // progress that nobody has read yet is out of date
    const last = this.#frames.at(-1);
    if (last && (frame.type === 'queued' || frame.type === 'prefill') && last.type === frame.type) this.#frames.pop();
    this.#frames.push(frame);
    this.#wake?.();
  }

  /** The last frame; then the stream ends. */
  end(frame: Frame): void {
    if (this.#state !== 'open') return;
    this.#frames.push(frame);
    this.#state = 'ended';
    this.#wake?.();
  }

  async #pull(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    if (this.#frames.length === 0 && this.#state === 'open') await new Promise<void>((resolve) => (this.#wake = resolve));
    this.#wake = undefined;
    const frames = this.#frames;
    this.#frames = [];
    if (frames.length > 0) controller.enqueue(utf8(frames.map((frame) => `${encodeFrame(frame)}\n`).join('')));
    if (this.#state === 'gone') controller.error(new Error('the reader was too slow'));
    else if (this.#state === 'ended') controller.close();
  }

  #gone(): void {
    if (this.#state !== 'open') return;
    this.#state = 'gone';
    this.#frames = [];
    this.#wake?.();
    this.#onGone();
  }
}
