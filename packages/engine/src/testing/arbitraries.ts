import fc from 'fast-check';

/** One seed for every property test: a failure today is a failure tomorrow. */
export const runs = { seed: 20_261_121, numRuns: 400 } as const;

const MAX32 = 2 ** 31 - 1;

/** Integers of every magnitude up to `limit`, both signs, with the ends and zero often among them. */
export const signed = (limit: number): fc.Arbitrary<number> =>
  fc.oneof(
    { weight: 1, arbitrary: fc.constantFrom(0, 1, -1, limit, -limit) },
    {
      weight: 4,
      arbitrary: fc
        .tuple(fc.integer({ min: 0, max: 52 }), fc.integer({ min: -MAX32, max: MAX32 }))
        .map(([shift, v]) => scaled(v, shift, limit)),
    },
  );

/** Brings a random 31-bit value to about `bits` bits, not beyond `limit`. */
function scaled(value: number, bits: number, limit: number): number {
  let x = value;
  for (let i = 31; i < bits; i++) x *= 2;
  for (let i = 31; i > bits; i--) x = Math.trunc(x / 2);
  const odd = x + (value & 1);
  return Math.max(-limit, Math.min(limit, odd)) + 0;
}

/** Values as the integer semantics saturates them: [-(2^31 - 1), 2^31 - 1]. */
export const int32: fc.Arbitrary<number> = signed(MAX32);

/** Scales as `sdiv` gives them. */
export const scale = fc.record({ mantissa: fc.integer({ min: 0, max: (1 << 18) - 1 }), exponent: fc.integer({ min: -80, max: 40 }) });

export const big = (values: ArrayLike<number>): bigint[] => Array.from(values, (value) => BigInt(value));
