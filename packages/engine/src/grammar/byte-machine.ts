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

/** No text of the grammar goes on like this. */
export const NO_STATE = -1;
const UNKNOWN = -2;

/**
 * Reads bytes under a grammar: a stack for every way to read them, kept as one interned set, a state, whose steps are remembered (a lazy determinisation;
 * Thompson, "Regular expression search algorithm", CACM 1968, with stacks instead of states). `parseGrammar` has refused left recursion and rules that
 * never end: opening rules ends, and whatever has been read can be completed.
 */
export class ByteMachine {
  readonly #grammar: CompiledGrammar;
  readonly #frames = new Map<string, Frame>();
  readonly #states = new Map<string, number>();
  /** By state: frames that stand at a byte, and whether the bytes so far are a whole text. */
  readonly #waiting: (readonly Frame[])[] = [];
  readonly #complete: boolean[] = [];
  /** By state: ranges that a first step by one byte looks at. */
  readonly #ranges: number[] = [];
  /** Frames of all kept states together. */
  #kept = 0;
  /** State after (state, byte) at 256 * state + byte, as far as it is known. */
  #next = new Int32Array(256 * 64).fill(UNKNOWN);
  readonly #placeIds = new Map<readonly Place[], number>();
  #work = 0;
  /** Steps are remembered, so that a usual grammar needs little more work with every token: one that needs more is refused. */
  #most: number = limits.grammarWork;
  readonly start: number;

  constructor(grammar: Grammar) {
    this.#grammar = compileGrammar(grammar);
    for (const places of this.#grammar.alternatives.flat()) this.#placeIds.set(places, this.#placeIds.size);
    this.start = this.#settle([{ rule: 0, below: undefined }]);
  }

  /** A token was taken: a little more work is allowed. */
  earn(): void {
    this.#most += limits.grammarWorkPerToken;
  }

  /** Whether the bytes so far are a whole text of the grammar. */
  isComplete(state: number): boolean {
    return this.#complete[state]!;
  }

  /** The state after one more byte, or {@link NO_STATE}. */
  step(state: number, byte: number): number {
    const known = this.#next[256 * state + byte]!;
    return known === UNKNOWN ? this.#firstStep(state, byte) : known;
  }

  #firstStep(state: number, byte: number): number {
    const opened: Opened[] = [];
    // also a frame that does not take the byte costs time
    this.#work += this.#ranges[state]! / limits.grammarRangesPerWork;
    if (this.#work > this.#most) throw tooAmbiguous();
    for (const { places, at, below } of this.#waiting[state]!) {
      const place = places[at]!;
      if ('rule' in place || !place.ranges.some(([low, high]) => low <= byte && byte <= high)) continue;
      opened.push({ places, at: at + 1, below });
    }
    const next = this.#settle(opened);
    this.#next[256 * state + byte] = next;
    return next;
  }

  /** Opens rules until every stack stands at a byte or is empty. */
  #settle(opened: Opened[]): number {
    const frames = new Map<number, Frame>();
    const seen = new Set<string>();
    let complete = false;
    for (let item = opened.pop(); item; item = opened.pop()) {
      if (++this.#work > this.#most) throw tooAmbiguous();
      const key = 'rule' in item ? `${item.rule}>${item.below?.id ?? -1}` : this.#key(item);
      if (seen.has(key)) continue;
      seen.add(key);
      if ('rule' in item) {
        for (const places of this.#grammar.alternatives[item.rule]!) opened.push({ places, at: 0, below: item.below });
        continue;
      }
      const { places, at, below } = item;
      const place = places[at];
      if (place === undefined) {
        if (below) opened.push({ places: below.places, at: below.at, below: below.below });
        else complete = true;
      } else if ('rule' in place) {
        // nothing comes after the last place: what is below takes over, so that a list does not grow the stack
        opened.push({ rule: place.rule, below: at + 1 < places.length ? this.#frame({ places, at: at + 1, below }) : below });
      } else {
        const frame = this.#frame(item);
        frames.set(frame.id, frame);
      }
    }
    return frames.size === 0 && !complete ? NO_STATE : this.#state([...frames.values()], complete);
  }

  #key({ places, at, below }: Omit<Frame, 'id'>): string {
    return `${this.#placeIds.get(places)}:${at}:${below?.id ?? -1}`;
  }

  #frame({ places, at, below }: Omit<Frame, 'id'>): Frame {
    const key = this.#key({ places, at, below });
    let frame = this.#frames.get(key);
    if (!frame) {
      frame = { id: this.#frames.size, places, at, below };
      this.#frames.set(key, frame);
      if (this.#frames.size > limits.grammarFrames) throw tooAmbiguous();
    }
    return frame;
  }

  #state(frames: Frame[], complete: boolean): number {
    frames.sort((a, b) => a.id - b.id);
    const key = `${complete ? 1 : 0}:${frames.map(({ id }) => id).join()}`;
    const known = this.#states.get(key);
    if (known !== undefined) return known;
    const state = this.#states.size;
    this.#kept += frames.length;
    if (state >= limits.grammarStates || this.#kept > limits.grammarKeptFrames) throw tooAmbiguous();
    this.#states.set(key, state);
    this.#waiting.push(frames);
    this.#complete.push(complete);
    this.#ranges.push(frames.reduce((sum, frame) => sum + rangesAt(frame), 0));
    if (256 * (state + 1) > this.#next.length) {
      const longer = new Int32Array(2 * this.#next.length).fill(UNKNOWN, this.#next.length);
      longer.set(this.#next);
      this.#next = longer;
    }
    return state;
  }
}

type Opened = { readonly rule: number; readonly below: Frame | undefined } | Omit<Frame, 'id'>;

function rangesAt({ places, at }: Frame): number {
  const place = places[at]!;
  return 'ranges' in place ? place.ranges.length : 0;
}

const tooAmbiguous = (): CommonweightError =>
  new CommonweightError('sampler.grammar: this text can be read in more ways than the engine follows; use a simpler grammar', {
    code: 'grammar_too_ambiguous',
    field: 'sampler.grammar',
  });
