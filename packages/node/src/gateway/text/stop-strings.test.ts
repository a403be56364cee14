import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { StopMatcher } from './stop-strings.ts';

/** What the client gets when `pieces` arrive one after the other. */
function deliver(pieces: readonly string[], stops: readonly string[]): { text: string; stopped: boolean } {
  const matcher = new StopMatcher(stops);
  let text = '';
  for (const piece of pieces) {
    const step = matcher.push(piece);
    text += step.deliver;
    if (step.stopped) return { text, stopped: true };
  }
  return { text: text + matcher.flush(), stopped: false };
}

/** Few letters, so that stop strings occur and overlap often. */
const letters = (minLength: number, maxLength: number) => fc.string({ unit: fc.constantFrom('a', 'b', '\n'), minLength, maxLength });
const pieces = fc.array(letters(0, 4), { maxLength: 12 });

describe('StopMatcher', () => {
  test('one stop string: the text before its first occurrence in the whole', () => {
    fc.assert(
      fc.property(pieces, letters(1, 4), (cut, stop) => {
        const whole = cut.join('');
        const at = whole.indexOf(stop);
        expect(deliver(cut, [stop])).toEqual({ text: at < 0 ? whole : whole.slice(0, at), stopped: at >= 0 });
      }),
      { numRuns: 2000 },
    );
  });

  test('several stop strings: pieces never change the text', () => {
    fc.assert(
      fc.property(pieces, fc.array(letters(1, 5), { minLength: 1, maxLength: 4 }), (cut, stops) => {
        const letterByLetter = deliver(cut.join('').split(''), stops);
        expect(deliver(cut, stops)).toEqual(letterByLetter);
        expect(deliver([cut.join('')], stops)).toEqual(letterByLetter);
        for (const stop of stops) expect(letterByLetter.text).not.toContain(stop);
      }),
      { numRuns: 2000 },
    );
  });

  test('holds back only what could begin a stop string', () => {
    const matcher = new StopMatcher(['\n\nUser:']);
    expect(matcher.push('Hello\n')).toEqual({ deliver: 'Hello', stopped: false });
    expect(matcher.push('world')).toEqual({ deliver: '\nworld', stopped: false });
    expect(matcher.push('\n\nUs')).toEqual({ deliver: '', stopped: false });
    expect(matcher.push('er: x')).toEqual({ deliver: '', stopped: true });
    expect(matcher.push('more')).toEqual({ deliver: '', stopped: true });
    expect(matcher.flush()).toBe('');
  });

  test('the stop string that is complete first wins, of two that end together the longer one', () => {
    expect(deliver(['abcd'], ['abcd', 'c'])).toEqual({ text: 'ab', stopped: true });
    expect(deliver(['xabc'], ['bc', 'abc'])).toEqual({ text: 'x', stopped: true });
  });

  test('without stop strings everything passes at once', () => {
    expect(new StopMatcher([]).push('abc')).toEqual({ deliver: 'abc', stopped: false });
  });
});
