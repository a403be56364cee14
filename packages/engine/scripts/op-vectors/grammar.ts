// Vectors of grammars (SPEC section 14.2).
import { type Grammar, parseGrammar, toHex, utf8 } from '@commonweight/protocol';
import { naiveAllowed, randomGrammar } from '../../src/testing/naive-grammar.ts';
import { pick, random } from './draw.ts';

export function grammar(): object[] {
  const texts = ['', 'a', 'b', 'c', 'ab', 'abc', 'ca', 'aa', 'bca', '', 'aab'];
  const tokens = texts.map((text) => utf8(text));
  const cases: object[] = [];
  while (cases.length < 120) {
    const made = parsedOrNot(randomGrammar(random));
    if (!made) continue;
    const completion: number[] = [];
    for (let i = 0; i < 3; i++) {
      const expect = naiveAllowed(made, tokens, [0], completion);
      cases.push({ grammar: made, tokens: tokens.map((token) => toHex(token)), stopIds: [0], completion: [...completion], expect });
      const next = expect.filter((id) => id !== 0);
      if (next.length === 0) break;
      completion.push(pick(next));
    }
  }
  return cases;
}

function parsedOrNot(grammarOrNot: Grammar): Grammar | undefined {
  try {
    return parseGrammar(grammarOrNot, 'grammar');
  } catch {
    return undefined;
  }
}
