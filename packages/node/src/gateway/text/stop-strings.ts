/** What a piece of text brought: text that may be delivered, and whether a stop string was completed (it and what follows are dropped). */
export interface StopStep {
  readonly deliver: string;
  readonly stopped: boolean;
}

/**
 * Finds stop strings in text that arrives in pieces. The stop string that is complete first wins (of two that end together, the longer
 * one), and the text before it is delivered. Text that could begin a stop string is held back, so that how the text was cut into pieces
 * never changes what is delivered.
 */
export class StopMatcher {
  readonly #stops: readonly string[];
  #held = '';
  #stopped = false;

  /** @param stops - non-empty strings; bounded by the request schema. */
  constructor(stops: readonly string[]) {
    this.#stops = stops;
  }

  push(piece: string): StopStep {
    if (this.#stopped) return { deliver: '', stopped: true };
    const text = this.#held + piece;
    const at = this.#firstComplete(text);
    if (at !== undefined) {
      this.#stopped = true;
      this.#held = '';
      return { deliver: text.slice(0, at), stopped: true };
    }
    const keep = this.#pending(text);
    this.#held = text.slice(text.length - keep);
    return { deliver: text.slice(0, text.length - keep), stopped: false };
  }

  /** The text that was held back, once nothing follows. */
  flush(): string {
    const rest = this.#held;
    this.#held = '';
    return rest;
  }

  /** Where the stop string begins that is complete first. */
  #firstComplete(text: string): number | undefined {
    let best: { readonly start: number; readonly end: number } | undefined;
    for (const stop of this.#stops) {
      const start = text.indexOf(stop);
      if (start < 0) continue;
      const end = start + stop.length;
      if (!best || end < best.end || (end === best.end && start < best.start)) best = { start, end };
    }
    return best?.start;
  }

  /** Length of the longest end of `text` that begins a stop string. */
  #pending(text: string): number {
    let longest = 0;
    for (const stop of this.#stops) {
      for (let length = Math.min(stop.length - 1, text.length); length > longest; length--) {
        if (text.endsWith(stop.slice(0, length))) longest = length;
      }
    }
    return longest;
  }
}
