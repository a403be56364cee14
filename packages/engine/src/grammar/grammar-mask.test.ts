import { type Grammar, parseGrammar, samplerSettings, utf8 } from '@commonweight/protocol';
import { describe, expect, it } from 'vitest';
import { createReferenceExecutor } from '../reference/executor.ts';
import { generate } from '../generation.ts';
import { reexecute } from '../reexecute.ts';
import { Sampler } from '../sampler/sampler.ts';
import { naiveAllowed, naiveReading, randomGrammar } from '../testing/naive-grammar.ts';
import { buildTinyModel } from '../testing/tiny-model.ts';
import { Xorshift } from '../testing/xorshift.ts';
import { GrammarMask } from './grammar-mask.ts';
import { tokenVocabulary } from './token-vocabulary.ts';

const TEXTS = ['', 'a', 'b', 'c', 'ab', 'abc', 'ca', 'cab', 'aa', '', 'bca', 'cc', 'aab'];
const tokens = TEXTS.map((text) => utf8(text));
const vocabulary = tokenVocabulary(tokens.length, (id) => tokens[id]!);
const STOP = 0;

const allowedBy = (mask: GrammarMask): number[] => {
  const masked = mask.apply(new Int32Array(tokens.length));
  return masked ? [...masked.keys()].filter((id) => masked[id] === 0) : [];
};

function randomParsed(random: Xorshift): Grammar | undefined {
  try {
    return parseGrammar(randomGrammar(random), 'grammar');
  } catch {
    return undefined;
  }
}

describe('GrammarMask', () => {
  it('allows what derivation from the left allows, along 400 random texts of random grammars', () => {
    const random = new Xorshift(14);
    let runs = 0;
    let stops = 0;
    while (runs < 400) {
      const grammar = randomParsed(random);
      if (!grammar) continue;
      runs++;
      const mask = new GrammarMask(grammar, vocabulary, [STOP]);
      const before: number[] = [];
      for (let i = 0; i < 4; i++) {
        const expected = naiveAllowed(grammar, tokens, [STOP], before);
        expect({ grammar, before, allowed: allowedBy(mask) }).toEqual({ grammar, before, allowed: expected });
        if (expected.includes(STOP)) stops++;
        const next = expected.filter((id) => id !== STOP);
        if (next.length === 0) break;
        const id = next[random.integer(0, next.length - 1)]!;
        mask.accept(id);
        before.push(id);
      }
    }
    expect(stops).toBeGreaterThan(100);
  });

  it('allows nothing after an id that was not allowed', () => {
    const mask = new GrammarMask({ rules: [[['=ab']]] }, vocabulary, [STOP]);
    expect(allowedBy(mask)).toEqual([1, 4]);
    mask.accept(2);
    expect(mask.apply(new Int32Array(tokens.length))).toBeUndefined();
  });

  it('follows nesting to any depth, and lists without growing', () => {
    const nested: Grammar = { rules: [[['=a', 0, '=b'], []]] };
    const mask = new GrammarMask(nested, vocabulary, [STOP]);
    for (let i = 0; i < 2000; i++) mask.accept(1);
    expect(allowedBy(mask)).toEqual([1, 2, 4, 8, 12].filter((id) => naiveReading(nested, [...utf8(`aa${TEXTS[id]}`)]) !== 'none'));
    for (let i = 0; i < 2000; i++) mask.accept(2);
    expect(allowedBy(mask)).toEqual([STOP]);
  });

  it('refuses a grammar that can be read in too many ways, in bounded time', () => {
    // every a is one of 60 rules, and each of them goes on in every way
    const rules: (number | string)[][][] = [
      [[1, 2]],
      ...Array.from({ length: 60 }, (_, i) => [['=a', 1 + ((i * 7) % 60), 1 + ((i * 11) % 60)], ['=a']]),
    ];
    rules[0] = Array.from({ length: 60 }, (_, i) => [1 + i, 1 + ((i * 13) % 60)]);
    const mask = new GrammarMask(parseGrammar({ rules }, 'grammar'), vocabulary, [STOP]);
    expect(() => {
      for (let i = 0; i < 3000; i++) {
        mask.accept(1);
        mask.apply(new Int32Array(tokens.length));
      }
    }).toThrow(expect.objectContaining({ code: 'grammar_too_ambiguous' }));
  });
});

describe('a grammar with many places for one byte', () => {
  const begins = (alternatives: number, ranges: number): Grammar => {
    const high = Array.from({ length: ranges }, (_, i) => (0x80 + 2 * i).toString(16).padStart(2, '0').repeat(2)).join('');
    const ways = Array.from({ length: alternatives }, (_, i) => [`~${high}`, `=${i}`]);
    return parseGrammar({ rules: [Array.from({ length: 250 }, (_, i) => [1, `=${String.fromCodePoint(0x100 + i)}`]), ways] }, 'grammar');
  };

  it('is refused before they are compared, though none of them takes a byte of a token', () => {
    expect(() => new GrammarMask(begins(1000, 64), vocabulary, [STOP]).apply(new Int32Array(tokens.length))).toThrow(
      expect.objectContaining({ code: 'grammar_too_ambiguous' }),
    );
  });

  it('passes where a list of thousands of texts is one', () => {
    const texts = Array.from({ length: 10_000 }, (_, i) => [`=${String.fromCodePoint(0x61 + (i % 26))}${i}`]);
    // every byte is a token: each of them is looked up at the start
    const bytes = tokenVocabulary(257, (id) => (id === STOP ? new Uint8Array(0) : Uint8Array.of(id - 1)));
    const mask = new GrammarMask(parseGrammar({ rules: [texts] }, 'grammar'), bytes, [STOP]);
    for (const byte of utf8('b1')) {
      expect(mask.apply(new Int32Array(257))![byte + 1]).toBe(0);
      mask.accept(byte + 1);
    }
  });
});

describe('an answer under a grammar', () => {
  const { manifest, source } = buildTinyModel({ seed: 5 });
  const executor = createReferenceExecutor(manifest, source);
  // ids 3 and on are letters; 2 is the stop id
  const letters = tokenVocabulary(manifest.graph.vocabulary, (id) => utf8(id < 3 ? '' : String.fromCodePoint(94 + id)));
  const grammar: Grammar = { rules: [[['~617a', 0], ['=b']]] };
  const base = { executor, promptIds: [5, 6, 7], prfKey: new Uint8Array(32).fill(9), stopIds: [2], vocabulary: letters };

  it.each([0, 2_000_000])('at temperature %d is one of its texts, and re-execution samples the same', (temperature) => {
    const sampler = samplerSettings({ temperature, grammar, logitBias: [[4, 8_000_000]] });
    const { completionIds, finish } = generate({ ...base, sampler, maxTokens: 40 });
    const text = completionIds.filter((id) => id !== 2).flatMap((id) => [...letters.bytes[id]!]);
    expect(naiveReading(grammar, text)).toBe(finish === 'stop_id' ? 'text' : 'prefix');
    expect(reexecute({ ...base, sampler, completionIds }).sampledIds).toEqual(completionIds);
    expect(generate({ ...base, sampler: { ...sampler, grammar: null }, maxTokens: 40 }).completionIds).not.toEqual(completionIds);
  });

  it('ends where the grammar ends', () => {
    const sampler = samplerSettings({ grammar: { rules: [[['=ab', '~6364']]] } });
    const { completionIds, finish } = generate({ ...base, sampler, maxTokens: 40 });
    expect([finish, completionIds.length, completionIds.slice(0, 2), completionIds.at(-1)]).toEqual(['stop_id', 4, [3, 4], 2]);
  });

  it('samples no id from the first claimed id on that the grammar does not allow', () => {
    const sampler = samplerSettings({ grammar: { rules: [[['=ab', '~6364']]] } });
    expect(reexecute({ ...base, sampler, completionIds: [3, 30, 5, 2] }).sampledIds).toEqual([3, 4, -1, -1]);
  });

  it('fails where the vocabulary cannot go on, and without one', () => {
    const sampler = samplerSettings({ grammar: { rules: [[['=!']]] } });
    expect(() => generate({ ...base, sampler, maxTokens: 4 })).toThrow(expect.objectContaining({ code: 'grammar_stuck' }));
    expect(() => new Sampler({ settings: sampler, prfKey: base.prfKey, promptIds: [1] })).toThrow(/needs the bytes/);
  });
});
