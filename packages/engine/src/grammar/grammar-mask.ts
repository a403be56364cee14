import type { Grammar } from '@commonweight/protocol';
import { limits } from '../limits.ts';
import { NOT_ALLOWED } from '../sampler/not-allowed.ts';
import { ByteMachine, NO_STATE } from './byte-machine.ts';
import type { TokenVocabulary } from './token-vocabulary.ts';

/** Which ids may come next in an answer that must be a text of a grammar (SPEC section 14.2). */
export class GrammarMask {
  readonly #machine: ByteMachine;
  readonly #vocabulary: TokenVocabulary;
  readonly #stopIds: readonly number[];
  /** {@link NO_STATE} once an id has been accepted that was not allowed. */
  #state: number;
  /** Ids that are allowed in a state, a few states long: within a string it is always the same one. */
  readonly #allowed = new Map<number, Int32Array>();
  #masked = new Int32Array(0);

  constructor(grammar: Grammar, vocabulary: TokenVocabulary, stopIds: readonly number[]) {
    this.#machine = new ByteMachine(grammar);
    this.#vocabulary = vocabulary;
    this.#stopIds = stopIds.filter((id) => vocabulary.bytes[id]?.length === 0);
    this.#state = this.#machine.start;
  }

  /** The logits with {@link NOT_ALLOWED} for every id that is not allowed, which the next call overwrites; undefined when none is. */
  apply(logits: Int32Array): Int32Array | undefined {
    const allowed = this.#allowedIds();
    if (allowed.length === 0) return undefined;
    if (this.#masked.length !== logits.length) this.#masked = new Int32Array(logits.length);
    this.#masked.fill(NOT_ALLOWED);
    for (const id of allowed) this.#masked[id] = logits[id]!;
    return this.#masked;
  }

  /** Takes the next id. After one that was not allowed nothing is allowed any more. */
  accept(id: number): void {
    this.#machine.earn();
    const bytes = this.#vocabulary.bytes[id];
    if (!bytes || bytes.length === 0) this.#state = NO_STATE;
    else for (const byte of bytes) if (this.#state !== NO_STATE) this.#state = this.#machine.step(this.#state, byte);
  }

  #allowedIds(): Int32Array {
    const state = this.#state;
    if (state === NO_STATE) return new Int32Array(0);
    let ids = this.#allowed.get(state);
    if (!ids) {
      ids = this.#walk(state);
      if (this.#allowed.size >= limits.grammarMasks) this.#allowed.delete(this.#allowed.keys().next().value!);
      this.#allowed.set(state, ids);
    }
    return ids;
  }

  /** Tokens in the order of their bytes, so that what two of them share is read once. */
  #walk(from: number): Int32Array {
    const { order, shared, sorted, starts } = this.#vocabulary;
    const machine = this.#machine;
    const stops = machine.isComplete(from) ? this.#stopIds : [];
    const allowed = new Int32Array(order.length + stops.length);
    allowed.set(stops);
    let count = stops.length;
    const states = [from];
    /** Bytes of the last token looked at that could be read. */
    let read = 0;
    for (let i = 0; i < order.length; i++) {
      if (shared[i]! > read) continue;
      read = shared[i]!;
      const start = starts[i]!;
      const length = starts[i + 1]! - start;
      while (read < length) {
        const next = machine.step(states[read]!, sorted[start + read]!);
        if (next === NO_STATE) break;
        states[++read] = next;
      }
      if (read === length) allowed[count++] = order[i]!;
    }
    return allowed.slice(0, count);
  }
}
