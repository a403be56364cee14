import type { Engine } from './subjects/messages.ts';
import { median, medianRatio } from './statistics.ts';

/** Where a figure was measured. */
export interface Place {
  readonly measure: string;
  readonly model: string;
  readonly threads: number;
}

/** Every sample of a run, by place and engine, and what could not be had. */
export class Results {
  readonly #samples = new Map<string, number[]>();
  readonly #reasons = new Set<string>();

  add(place: Place, engine: Engine, value: number): void {
    const key = keyOf(place, engine);
    const samples = this.#samples.get(key);
    if (samples === undefined) this.#samples.set(key, [value]);
    else samples.push(value);
  }

  missing(reason: string): void {
    this.#reasons.add(reason);
  }

  get reasons(): readonly string[] {
    return [...this.#reasons];
  }

  median(place: Place, engine: Engine): number | null {
    const samples = this.#samples.get(keyOf(place, engine));
    return samples === undefined ? null : median(samples);
  }

  /** Median of rival's time over ours, round by round: above 1 we are faster. */
  speed(place: Place, engine: Engine): number | null {
    return this.#ratio(keyOf(place, 'llama'), keyOf(place, engine));
  }

  /** Median of one measure over another one, round by round. */
  share(part: Place, whole: Place, engine: Engine): number | null {
    return this.#ratio(keyOf(part, engine), keyOf(whole, engine));
  }

  #ratio(numerator: string, denominator: string): number | null {
    const [a, b] = [this.#samples.get(numerator), this.#samples.get(denominator)];
    if (a === undefined || b === undefined) return null;
    const rounds = Math.min(a.length, b.length);
    return medianRatio(a.slice(0, rounds), b.slice(0, rounds));
  }
}

const keyOf = ({ measure, model, threads }: Place, engine: Engine): string => `${measure} ${model} ${threads} ${engine}`;
