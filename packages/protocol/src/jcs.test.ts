import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalize } from './jcs.ts';

describe('canonical JSON (RFC 8785, integers only)', () => {
  it('sorts keys by UTF-16 code units, as the example of RFC 8785 section 3.2.3', () => {
    const value = { '\u20ac': 1, '\r': 2, '\ufb33': 3, '1': 4, '\ud83d\ude00': 5, '\u0080': 6, '\u00f6': 7 };
    expect(canonicalize(value)).toBe('{"\\r":2,"1":4,"\u0080":6,"\u00f6":7,"\u20ac":1,"\ud83d\ude00":5,"\ufb33":3}');
  });

  it('writes strings as RFC 8785 section 3.2.2.2', () => {
    expect(canonicalize('\u20ac$\u000f\nA\'B"\\\\"/')).toBe('"\u20ac$\\u000f\\nA\'B\\"\\\\\\\\\\"/"');
  });

  it.each([
    [{ a: 1.5 }, /a: expected a safe integer/],
    [{ a: [0, -0] }, /a\[1\]: expected a safe integer/],
    [{ a: 2 ** 53 }, /safe integer/],
    [{ a: Number.NaN }, /safe integer/],
    [{ a: undefined }, /a: expected a JSON value/],
    [{ a: '\ud800' }, /well-formed Unicode/],
    [{ '\udc00': 1 }, /well-formed keys/],
    [{ a: 1n }, /JSON value/],
  ])('refuses %s', (value, message) => {
    expect(() => canonicalize(value)).toThrow(message);
  });

  it('refuses depth without end', () => {
    let deep: unknown = 0;
    for (let i = 0; i < 100; i++) deep = [deep];
    expect(() => canonicalize(deep)).toThrow(/at most 64 levels/);
  });

  it('does not depend on the order in which keys were written, and parses back', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string({ unit: 'grapheme' }), fc.oneof(fc.maxSafeInteger(), fc.boolean(), fc.string({ unit: 'grapheme' }))),
        (record) => {
          const entries = Object.entries(record).filter(([key]) => key !== '__proto__');
          const text = canonicalize(Object.fromEntries(entries.map(([k, v]) => [k, Object.is(v, -0) ? 0 : v])));
          const reversed = canonicalize(Object.fromEntries(entries.toReversed().map(([k, v]) => [k, Object.is(v, -0) ? 0 : v])));
          expect(reversed).toBe(text);
          expect(canonicalize(JSON.parse(text))).toBe(text);
        },
      ),
      { seed: 2, numRuns: 300 },
    );
  });
});
