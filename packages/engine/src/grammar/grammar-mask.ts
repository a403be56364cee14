import type { Grammar } from '@commonweight/protocol';
import { limits } from '../limits.ts';
import { ByteMachine, type MachineState } from './byte-machine.ts';
import { NOT_ALLOWED } from '../sampler/not-allowed.ts';
import type { TokenVocabulary } from './token-vocabulary.ts';

/** Which ids may come next in an answer that must be a text of a grammar (SPEC section 14.2). */
export class GrammarMask {
  readonly #machine: ByteMachine;
  readonly #vocabulary: TokenVocabulary;
  readonly #stopIds: readonly number[];
  /** Undefined once an id has been accepted that was not allowed. */
  #state: MachineState | undefined;
  /** Ids that are allowed in a state, a few states long: within a string it is always the same one. */
  readonly #allowed = new Map<number, Int32Array>();
  #masked = new Int32Array(0);

  constructor(grammar: Grammar, vocabulary: TokenVocabulary, stopIds: readonly number[]) {
    this.#machine = new ByteMachine(grammar);
    this.#vocabulary = vocabulary;
    this.#stopIds = stopIds;
    this.#state = this.#machine.start();
  }

  /** The logits with {@link NOT_ALLOWED} for every id that is not allowed, which the next call overwrites; undefined when none is. */
  apply(logits: Int32Array): Int32Array | undefined {
    const allowed = this.#allowedIds();
    if (!allowed.some((id) => id < logits.length)) return undefined;
    if (this.#masked.length !== logits.length) this.#masked = new Int32Array(logits.length);
    this.#masked.fill(NOT_ALLOWED);
    for (const id of allowed) if (id < logits.length) this.#masked[id] = logits[id]!;
    return this.#masked;
  }

  /** Takes the next id. After one that was not allowed nothing is allowed any more. */
  accept(id: number): void {
    let state: MachineState | null = this.#state ?? null;
    const bytes = this.#vocabulary.bytes[id];
    if (!bytes || bytes.length === 0) state = null;
    else for (const byte of bytes) state &&= this.#machine.step(state, byte);
    this.#state = state ?? undefined;
  }

  #allowedIds(): Int32Array {
    const state = this.#state;
    if (!state) return new Int32Array(0);
    let ids = this.#allowed.get(state.id);
    if (!ids) {
      ids = Int32Array.from(this.#walk(state));
      if (this.#allowed.size >= limits.grammarMasks) this.#allowed.delete(this.#allowed.keys().next().value!);
      this.#allowed.set(state.id, ids);
    }
    return ids;
  }

  /** Tokens in the order of their bytes, so that what two of them share is read once. */
  #walk(from: MachineState): number[] {
    const { order, shared, bytes } = this.#vocabulary;
    const allowed: number[] = from.complete ? [...this.#stopIds] : [];
    const states: MachineState[] = [from];
    /** Bytes of the token before that could be read. */
    let read = 0;
    for (const [i, id] of order.entries()) {
      const token = bytes[id]!;
      if (shared[i]! > read) continue;
      read = shared[i]!;
      while (read < token.length) {
        const next = this.#machine.step(states[read]!, token[read]!);
        if (!next) break;
        states[++read] = next;
      }
      if (read === token.length) allowed.push(id);
    }
    return allowed;
  }
}
