import { describe, expect, it } from 'vitest';
import { parseGrammar, terminalBytes } from './grammar.ts';
import { limits } from './limits.ts';

const parse = (...rules: unknown[]) => parseGrammar({ rules }, 'grammar');

describe('parseGrammar', () => {
  it('reads texts, ranges, rules and empty alternatives', () => {
    const rules = [[['={', 1, '=}']], [[], ['~303941465f5f', 1]]];
    expect(parse(...rules)).toEqual({ rules });
    expect(terminalBytes('=é')).toEqual([[[195, 195]], [[169, 169]]]);
    expect(terminalBytes('~30395f5f')).toEqual([[[48, 57], [95, 95]]]); // prettier-ignore
  });

  it('is linear in the grammar: the longest chains of rules take no time', () => {
    const count = limits.grammarRules;
    const chain = Array.from({ length: count }, (_, r) => [r === count - 1 ? ['=x'] : [r + 1]]);
    expect(parse(...chain).rules).toHaveLength(count);
    expect(parse(...chain.map((_, r) => [r === 0 ? [count - 1] : r === 1 ? ['=x'] : [r - 1]])).rules).toHaveLength(count);
  });

  it.each<[string, unknown[], RegExp]>([
    ['no rule', [], /grammar\.rules: expected one rule/],
    ['a rule that is no list', ['x'], /grammar\.rules\[0\]/],
    ['a rule without alternatives', [[]], /rules\[0\]: expected a rule from which/],
    ['a symbol of another kind', [[[null]]], /rules\[0\]\[0\]\[0\]/],
    ['a rule that is not there', [[[1]]], /rules\[0\]\[0\]\[0\]: expected a rule below 1/],
    ['a negative rule', [[[-1]]], /rule below/],
    ['an empty text', [[['=']]], /=text/],
    ['half a surrogate pair', [[['=\ud800']]], /=text/],
    ['a text without its sign', [[['abc']]], /=text/],
    ['a long text', [[[`=${'x'.repeat(limits.grammarText)}`]]], /=text/],
    ['ranges of half a byte', [[['~414']]], /pairs of bytes/],
    ['upper-case hex', [[['~4F4F']]], /pairs of bytes/],
    ['a range upside down', [[['~3930']]], /rising ranges/],
    ['ranges that touch: two spellings of one', [[['~30393a40']]], /rising ranges/],
    ['a rule that begins with itself', [[[0, '=x'], ['=y']]], /rules\[0\]: expected a rule that does not begin with itself/],
    ['two rules that begin with each other', [[[1, '=x'], ['=y']], [[0]]], /begin with itself/],
    ['a rule that begins with itself behind nothing', [[[1, 0], ['=y']], [[]]], /begin with itself/],
    ['a rule that never ends', [[['=x', 1]], [['=y', 1]]], /rules\[0\]: expected a rule from which some text/],
    ['too many rules', Array.from({ length: limits.grammarRules + 1 }, () => [['=x']]), /at most 4096/],
    ['too many symbols', [[Array.from({ length: limits.grammarSymbols }, () => '=x')]], /at most 32768/],
  ])('refuses %s', (_, rules, message) => expect(() => parse(...rules)).toThrow(message));

  it('refuses an unknown field', () => expect(() => parseGrammar({ rules: [[['=x']]], start: 0 }, 'grammar')).toThrow(/grammar\.start/));
});
