import { CommonweightError, type Grammar } from '@commonweight/protocol';
import { limits } from '../limits.ts';
import { type CompiledGrammar, type Place, compileGrammar } from './compiled-grammar.ts';

/** A place that is still to come, above what comes after it. Equal ones are one object. */
interface Frame {
  readonly id: number;
  readonly places: readonly Place[];
  readonly at: number;
  readonly below: Frame | undefined;
}

/** Every way to read the bytes so far. Equal ones are one object. */
export interface MachineState {
  readonly id: number;
  /** Frames that stand at a byte. */
  readonly frames: readonly Frame[];
  /** The bytes so far are a whole text of the grammar. */
  readonly complete: boolean;
  /** The state after each byte, as far as it is known; null for none. */
  readonly next: (MachineState | null | undefined)[];
}

/**
 * Reads bytes under a grammar: a stack for every way to read them, kept as one interned set, so that its steps are looked up (a lazy determinisation;
 * Thompson, "Regular expression search algorithm", CACM 1968, with stacks instead of states). `parseGrammar` has refused left recursion and rules that
 * never end: opening rules ends, and whatever has been read can be completed.
 */
export class ByteMachine {
  readonly #grammar: CompiledGrammar;
  readonly #frames = new Map<string, Frame>();
  readonly #states = new Map<string, MachineState>();
  readonly #placeIds = new Map<readonly Place[], number>();

  constructor(grammar: Grammar) {
    this.#grammar = compileGrammar(grammar);
    for (const places of this.#grammar.alternatives.flat()) this.#placeIds.set(places, this.#placeIds.size);
  }

  start(): MachineState {
    return this.#settle([{ rule: 0, below: undefined }])!;
  }

  /** The state after one more byte; null when no text of the grammar goes on like this. */
  step(state: MachineState, byte: number): MachineState | null {
    const known = state.next[byte];
    if (known !== undefined) return known;
    const opened: Opened[] = [];
    for (const { places, at, below } of state.frames) {
      const place = places[at]!;
      if ('rule' in place || !place.ranges.some(([low, high]) => low <= byte && byte <= high)) continue;
      opened.push({ places, at: at + 1, below });
    }
    return (state.next[byte] = this.#settle(opened));
  }

  /** Opens rules until every stack stands at a byte or is empty. */
  #settle(opened: Opened[]): MachineState | null {
    const frames = new Map<number, Frame>();
    const seen = new Set<string>();
    let complete = false;
    for (let item = opened.pop(); item; item = opened.pop()) {
      if ('rule' in item) {
        const { rule, below } = item;
        const key = `${rule}>${below?.id ?? -1}`;
        if (seen.has(key)) continue;
        seen.add(key);
        if (seen.size > limits.grammarWays) throw tooAmbiguous();
        for (const places of this.#grammar.alternatives[rule]!) opened.push({ places, at: 0, below });
        continue;
      }
      const { places, at, below } = item;
      const place = places[at];
      const key = `${this.#placeIds.get(places)}:${at}:${below?.id ?? -1}`;
      if (seen.has(key)) continue;
      seen.add(key);
      if (seen.size > limits.grammarWays) throw tooAmbiguous();
      if (place === undefined) {
        if (below) opened.push({ places: below.places, at: below.at, below: below.below });
        else complete = true;
      } else if ('rule' in place) {
        // nothing comes after the last place: what is below takes over, so that a list does not grow the stack
        const rest = at + 1 < places.length ? this.#frame(places, at + 1, below) : below;
        opened.push({ rule: place.rule, below: rest });
      } else {
        const frame = this.#frame(places, at, below);
        frames.set(frame.id, frame);
      }
    }
    return frames.size === 0 && !complete ? null : this.#state([...frames.values()], complete);
  }

  #frame(places: readonly Place[], at: number, below: Frame | undefined): Frame {
    const key = `${this.#placeIds.get(places)}:${at}:${below?.id ?? -1}`;
    let frame = this.#frames.get(key);
    if (!frame) {
      frame = { id: this.#frames.size, places, at, below };
      this.#frames.set(key, frame);
      if (this.#frames.size > limits.grammarFrames) throw tooAmbiguous();
    }
    return frame;
  }

  #state(frames: Frame[], complete: boolean): MachineState {
    frames.sort((a, b) => a.id - b.id);
    const key = `${complete ? 1 : 0}:${frames.map(({ id }) => id).join()}`;
    let state = this.#states.get(key);
    if (!state) {
      state = { id: this.#states.size, frames, complete, next: [] };
      this.#states.set(key, state);
      if (this.#states.size > limits.grammarFrames) throw tooAmbiguous();
    }
    return state;
  }
}

type Opened =
  | { readonly rule: number; readonly below: Frame | undefined }
  | { readonly places: readonly Place[]; readonly at: number; readonly below: Frame | undefined };

const tooAmbiguous = (): CommonweightError =>
  new CommonweightError('sampler.grammar: this text can be read in more ways than the engine follows; use a simpler grammar', {
    code: 'grammar_too_ambiguous',
    field: 'sampler.grammar',
  });
