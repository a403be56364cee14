import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runs } from '../testing/arbitraries.ts';
import { exp2nBig } from '../testing/restatements.ts';
import { exp2n } from './exp2n.ts';

describe('exp2n', () => {
  it('equals the restatement for distances of every magnitude', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 31 }), fc.integer({ min: 0, max: 2 ** 31 - 1 }), fc.constantFrom(15, 24), (shift, value, o) => {
        const d = value >>> shift;
        expect(BigInt(exp2n(d, o))).toBe(exp2nBig(BigInt(d), BigInt(o)));
      }),
      { ...runs, numRuns: 2000 },
    );
  });

  it.each([15, 24])('never rises, over every distance of an octave and its seams (%i fraction bits)', (o) => {
    let last = Number.POSITIVE_INFINITY;
    let rises = 0;
    for (let d = 0; d <= 65_536 + 16; d++) {
      const value = exp2n(d, o);
      if (value > last) rises++;
      last = value;
    }
    expect(rises).toBe(0);
    for (let octave = 1; octave <= 33; octave++) {
      for (let d = octave * 65_536 - 64; d < octave * 65_536 + 64; d++) expect(exp2n(d + 1, o)).toBeLessThanOrEqual(exp2n(d, o));
    }
  });

  it('is exact at whole octaves and zero from 32 on', () => {
    for (let n = 0; n <= 15; n++) expect(exp2n(n * 65_536, 15)).toBe(2 ** (15 - n));
    for (let n = 0; n <= 24; n++) expect(exp2n(n * 65_536, 24)).toBe(2 ** (24 - n));
    expect(exp2n(16 * 65_536, 15)).toBe(1);
    expect([exp2n(17 * 65_536, 15), exp2n(32 * 65_536, 24), exp2n(2 ** 31, 24), exp2n(2 ** 31 - 1, 15)]).toEqual([0, 0, 0, 0]);
  });

  it('is within 1.04e-4 of 2^-d over an octave', () => {
    let worst = 0;
    // 2^(-i/1024) by repeated multiplication with the 1,024th root of one half, itself ten square roots of it.
    let root = 0.5;
    for (let i = 0; i < 10; i++) root = Math.sqrt(root);
    let exact = 1;
    for (let i = 0; i <= 1024; i++, exact *= root) worst = Math.max(worst, Math.abs(exp2n(i * 64, 24) / 2 ** 24 / exact - 1));
    expect(worst).toBeLessThan(1.04e-4);
  });
});
