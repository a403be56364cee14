import { type Grammar, type GrammarSymbol, terminalBytes } from '@commonweight/protocol';
import type { Xorshift } from './xorshift.ts';

/** SPEC section 14.2 by derivation from the left, every alternative tried: slow and obvious. The oracle of the grammar mask. */
export function naiveReading(grammar: Grammar, bytes: readonly number[]): 'none' | 'prefix' | 'text' {
  const derive = (symbols: readonly (GrammarSymbol | Ranges)[], at: number): 'none' | 'prefix' | 'text' => {
    const [first, ...rest] = symbols;
    if (first === undefined) return at === bytes.length ? 'text' : 'none';
    if (typeof first === 'string') return derive([...terminalBytes(first).map((ranges) => ({ ranges })), ...rest], at);
    if (typeof first === 'object') {
      if (at === bytes.length) return 'prefix';
      return first.ranges.some(([low, high]) => low <= bytes[at]! && bytes[at]! <= high) ? derive(rest, at + 1) : 'none';
    }
    const found = grammar.rules[first]!.map((alternative) => derive([...alternative, ...rest], at));
    return found.includes('text') ? 'text' : found.includes('prefix') ? 'prefix' : 'none';
  };
  return derive([0], 0);
}

interface Ranges {
  readonly ranges: readonly (readonly [number, number])[];
}

/** Ids that may follow: their bytes keep the text a beginning of some text of the grammar; a stop id when it is one. */
export function naiveAllowed(
  grammar: Grammar,
  tokens: readonly Uint8Array[],
  stopIds: readonly number[],
  before: readonly number[],
): number[] {
  const text = before.flatMap((id) => [...tokens[id]!]);
  const complete = naiveReading(grammar, text) === 'text';
  return [...tokens.keys()].filter((id) =>
    stopIds.includes(id) ? complete : tokens[id]!.length > 0 && naiveReading(grammar, [...text, ...tokens[id]!]) !== 'none',
  );
}

/** A small random grammar over a, b, c: many of them are refused by `parseGrammar`. */
export function randomGrammar(random: Xorshift): Grammar {
  const count = random.integer(1, 4);
  const symbol = (): GrammarSymbol =>
    random.integer(0, 2) === 0 ? random.integer(0, count - 1) : ['=a', '=b', '=ab', '=ca', '~6162', '~61616363'][random.integer(0, 5)]!;
  return {
    rules: Array.from({ length: count }, () =>
      Array.from({ length: random.integer(1, 3) }, () => Array.from({ length: random.integer(0, 3) }, symbol)),
    ),
  };
}
