import type { Hex32 } from '@commonweight/protocol';
import { paymentLimits } from '../limits.ts';
import type { Clock } from '../platform/clock.ts';

interface Line {
  /** Payments that wait, with the quotes that they answer. */
  readonly waiting: { readonly quote: string | undefined; readonly start: () => void }[];
  /** Kept for the one that was corrected last, until it comes back or its time is over. */
  held: { readonly quote: string; readonly stopTimer: () => void } | undefined;
  busy: boolean;
}

/**
 * Payments of one channel, one at a time. A stock client that is told the sum to sign upon comes back once: until then, or for a while, the channel is
 * kept for it, because whoever took the sum meanwhile would make its second try fail. It is known by the quote that it answers (`extra.quote` of the offer, which clients give back).
 */
export class ChannelLine {
  readonly #clock: Clock;
  readonly #lines = new Map<Hex32, Line>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Waits for this payment's turn. @returns whether it came; whoever got it calls {@link leave}. A full line is not waited in. */
  enter(channel: Hex32, quote: string | undefined): Promise<boolean> {
    const line: Line = this.#lines.get(channel) ?? { waiting: [], held: undefined, busy: false };
    this.#lines.set(channel, line);
    const expected = line.held !== undefined && line.held.quote === quote;
    if (!line.busy && (expected || !line.held)) {
      this.#begin(line);
      return Promise.resolve(true);
    }
    if (line.waiting.length >= paymentLimits.corrections) return Promise.resolve(false);
    return new Promise((resolve) => {
      const entry = { quote, start: () => resolve(true) };
      // it comes back while another one is being looked at: it has waited once
      if (expected) line.waiting.unshift(entry);
      else line.waiting.push(entry);
    });
  }

  /** @param corrected - the quote of a payment that was told the sum and will come back */
  leave(channel: Hex32, corrected?: string): void {
    const line = this.#lines.get(channel);
    if (!line) return;
    line.busy = false;
    if (corrected !== undefined) {
      line.held?.stopTimer();
      line.held = { quote: corrected, stopTimer: this.#clock.after(paymentLimits.correctionMs, () => this.#giveUp(channel)) };
    }
    this.#next(channel, line);
  }

  /** Lets everybody go; for the end of the process. */
  close(): void {
    for (const line of this.#lines.values()) {
      line.held?.stopTimer();
      for (const { start } of line.waiting) start();
    }
    this.#lines.clear();
  }

  #giveUp(channel: Hex32): void {
    const line = this.#lines.get(channel);
    if (!line) return;
    line.held = undefined;
    if (!line.busy) this.#next(channel, line);
  }

  #next(channel: Hex32, line: Line): void {
    const { held, waiting } = line;
    const at = held ? waiting.findIndex(({ quote }) => quote === held.quote) : 0;
    const [entry] = at < 0 ? [] : waiting.splice(at, 1);
    if (entry) {
      this.#begin(line);
      entry.start();
    } else if (!held) this.#lines.delete(channel);
  }

  #begin(line: Line): void {
    line.busy = true;
    line.held?.stopTimer();
    line.held = undefined;
  }
}
