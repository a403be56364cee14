import { utf8 } from './bytes.ts';
import { DecodeError } from './errors.ts';
import { fixedPoint } from './grammar-fixed-point.ts';
import { limits } from './limits.ts';
import { Fields } from './read.ts';

/**
 * A context-free grammar over bytes (SPEC section 14.2): `rules[r]` holds the alternatives of rule r, each a sequence of symbols.
 * A number is a rule; `=text` the bytes of a text; `~` and pairs of bytes in hex one byte out of these ranges. Texts are derived from rule 0.
 */
export interface Grammar {
  readonly rules: readonly (readonly Alternative[])[];
}

export type Alternative = readonly GrammarSymbol[];
export type GrammarSymbol = number | string;

/** A range of bytes, both ends included. */
export type ByteRange = readonly [low: number, high: number];

/** The ranges of a terminal, one list for each byte that it takes. */
export function terminalBytes(symbol: string): ByteRange[][] {
  if (symbol.startsWith('=')) return Array.from(utf8(symbol.slice(1)), (byte) => [[byte, byte] as const]);
  const ends = symbol
    .slice(1)
    .match(/../g)!
    .map((pair) => Number.parseInt(pair, 16));
  return [Array.from({ length: ends.length / 2 }, (_, i) => [ends[2 * i]!, ends[2 * i + 1]!] as const)];
}

/** Reads an untrusted grammar: shape, bounds and references, every rule productive, none left-recursive. */
export function parseGrammar(value: unknown, path: string): Grammar {
  const f = new Fields(value, path, ['rules']);
  const list = f.array('rules', limits.grammarRules);
  let symbols = 0;
  const rules = list.map((rule, r): Alternative[] => {
    const at = `${f.name('rules')}[${r}]`;
    return new Fields({ alternatives: rule }, at, ['alternatives']).array('alternatives', limits.grammarSymbols).map((alternative, a) => {
      const of = new Fields({ symbols: alternative }, `${at}[${a}]`, ['symbols']).array('symbols', limits.grammarSymbols);
      symbols += of.length + 1;
      if (symbols > limits.grammarSymbols)
        throw new DecodeError(f.name('rules'), `at most ${limits.grammarSymbols} symbols and alternatives`, symbols);
      return of.map((symbol, s) => parseSymbol(symbol, `${at}[${a}][${s}]`, list.length));
    });
  });
  if (rules.length === 0) throw new DecodeError(f.name('rules'), 'one rule or more', rules);
  checkProductive(rules, f.name('rules'));
  checkLeftRecursion(rules, f.name('rules'));
  return { rules };
}

function parseSymbol(symbol: unknown, path: string, rules: number): GrammarSymbol {
  if (typeof symbol === 'number') {
    if (!Number.isSafeInteger(symbol) || symbol < 0 || symbol >= rules || Object.is(symbol, -0))
      throw new DecodeError(path, `a rule below ${rules}`, symbol);
    return symbol;
  }
  if (typeof symbol !== 'string' || symbol.length < 2 || symbol.length > limits.grammarText)
    throw new DecodeError(path, 'a rule, =text or ~ranges', symbol);
  if (symbol.startsWith('=') && !/\p{Surrogate}/u.test(symbol)) return symbol;
  if (!/^~(?:[0-9a-f]{4})+$/.test(symbol)) throw new DecodeError(path, '=text or ~ and pairs of bytes in hex', symbol);
  let last = -2;
  for (const [low, high] of terminalBytes(symbol)[0]!) {
    if (low <= last + 1 || high < low) throw new DecodeError(path, 'rising ranges with a gap between them', symbol);
    last = high;
  }
  return symbol;
}

/** Every rule derives some text: then whatever can be begun can be completed. */
function checkProductive(rules: readonly (readonly Alternative[])[], path: string): void {
  const productive = fixedPoint(rules, true);
  const dead = productive.indexOf(false);
  if (dead >= 0) throw new DecodeError(`${path}[${dead}]`, 'a rule from which some text can be derived', 'one that never ends');
}

/** No rule begins with itself: a reader that opens rules from the left ends. */
function checkLeftRecursion(rules: readonly (readonly Alternative[])[], path: string): void {
  const empty = fixedPoint(rules, false);
  const begins = rules.map((alternatives) => {
    const first = new Set<number>();
    for (const alternative of alternatives) {
      for (const symbol of alternative) {
        if (typeof symbol === 'string') break;
        first.add(symbol);
        if (!empty[symbol]) break;
      }
    }
    return [...first];
  });
  // depth-first without recursion: 1 on the path, 2 done
  const state = new Uint8Array(rules.length);
  for (const root of rules.keys()) {
    const stack = state[root] === 0 ? [{ rule: root, next: 0 }] : [];
    if (stack.length > 0) state[root] = 1;
    for (let top = stack.at(-1); top; top = stack.at(-1)) {
      const child = begins[top.rule]![top.next++];
      if (child === undefined) {
        state[top.rule] = 2;
        stack.pop();
      } else if (state[child] === 1) {
        throw new DecodeError(`${path}[${child}]`, 'a rule that does not begin with itself', 'left recursion');
      } else if (state[child] === 0) {
        state[child] = 1;
        stack.push({ rule: child, next: 0 });
      }
    }
  }
}
