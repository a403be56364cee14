import { DecodeError } from './errors.ts';
import { type Grammar, parseGrammar } from './grammar.ts';
import { limits } from './limits.ts';
import { Fields } from './read.ts';

/** How the next token is chosen from the logits (SPEC section 14). All integers; fractions are counted in millionths. */
export interface SamplerSettings {
  /** Millionths; 0 is greedy, otherwise 10,000 to 100,000,000. */
  readonly temperature: number;
  /** 0 is off. Ties at the k-th logit stay in. */
  readonly topK: number;
  /** Millionths, 1 to 1,000,000 (off). */
  readonly topP: number;
  /** Millionths of the largest weight, 0 (off) to 1,000,000. */
  readonly minP: number;
  /** Millionths, 10,000 to 2,000,000; 1,000,000 is off. Over ids of prompt and completion. */
  readonly repetitionPenalty: number;
  /** Millionths, -2,000,000 to 2,000,000; 0 is off. Over ids of the completion. */
  readonly presencePenalty: number;
  /** The same, once for each occurrence in the completion. */
  readonly frequencyPenalty: number;
  /** Millionths added to the logit of an id, -100,000,000 to 100,000,000 without 0; ids increasing. */
  readonly logitBias: readonly LogitBias[];
  /** The answer's text must be one of its texts; null is off. */
  readonly grammar: Grammar | null;
}

export type LogitBias = readonly [id: number, bias: number];

/** The settings that are given, and everything else off; greedy without a temperature. */
export const samplerSettings = (given: Partial<SamplerSettings> = {}): SamplerSettings => ({
  temperature: 0,
  topK: 0,
  topP: 1_000_000,
  minP: 0,
  repetitionPenalty: 1_000_000,
  presencePenalty: 0,
  frequencyPenalty: 0,
  logitBias: [],
  grammar: null,
  ...given,
});

/** Reads untrusted settings: every field present, every value in its range and in its one spelling. */
export function parseSampler(value: unknown, path: string): SamplerSettings {
  const f = new Fields(value, path, [
    'temperature',
    'topK',
    'topP',
    'minP',
    'repetitionPenalty',
    'presencePenalty',
    'frequencyPenalty',
    'logitBias',
    'grammar',
  ]);
  const temperature = f.integer('temperature', 0, 100_000_000);
  if (temperature !== 0 && temperature < 10_000)
    throw new DecodeError(f.name('temperature'), '0 or 10,000 to 100,000,000 millionths', temperature);
  return {
    temperature,
    topK: f.integer('topK', 0, limits.matrixRows),
    topP: f.integer('topP', 1, 1_000_000),
    minP: f.integer('minP', 0, 1_000_000),
    repetitionPenalty: f.integer('repetitionPenalty', 10_000, 2_000_000),
    presencePenalty: f.integer('presencePenalty', -2_000_000, 2_000_000),
    frequencyPenalty: f.integer('frequencyPenalty', -2_000_000, 2_000_000),
    logitBias: parseLogitBias(f),
    grammar: f.raw('grammar') === null ? null : parseGrammar(f.raw('grammar'), f.name('grammar')),
  };
}

function parseLogitBias(f: Fields): LogitBias[] {
  let last = -1;
  return f.array('logitBias', limits.logitBias).map((entry, i) => {
    const path = `${f.name('logitBias')}[${i}]`;
    if (!Array.isArray(entry) || entry.length !== 2) throw new DecodeError(path, 'a pair of an id and its bias', entry);
    const pair = new Fields({ id: entry[0] as unknown, bias: entry[1] as unknown }, path, ['id', 'bias']);
    const id = pair.integer('id', 0, limits.matrixRows - 1);
    const bias = pair.integer('bias', -100_000_000, 100_000_000);
    if (id <= last) throw new DecodeError(path, `an id above ${last}`, id);
    if (bias === 0) throw new DecodeError(path, 'a bias other than 0: an id without one is left out', bias);
    last = id;
    return [id, bias];
  });
}
