/** SPEC part I once more, in big integers only and without looking at the reference: what the tests compare it with. */

export const floorShift = (x: bigint, s: bigint): bigint => (s === 0n ? x : (x + (1n << (s - 1n))) >> s);

export const bits = (x: bigint): bigint => {
  let count = 0n;
  for (; x > 0n; x >>= 1n) count++;
  return count;
};

const magnitude = (x: bigint): bigint => (x < 0n ? -x : x);
const clamp = (x: bigint, low: bigint, high: bigint): bigint => (x < low ? low : x > high ? high : x);
export const satBig = (x: bigint): bigint => clamp(x, -2_147_483_647n, 2_147_483_647n);
const clampShiftBig = (s: bigint): bigint => clamp(s, 0n, 62n);

/** Fails when a value leaves the 64-bit budget of SPEC section 16. */
function within(x: bigint, bitsOfBound: bigint): bigint {
  if (magnitude(x) >= 1n << bitsOfBound) throw new RangeError(`${x} is not below 2^${bitsOfBound}`);
  return x;
}

export interface ScaleBig {
  readonly m: bigint;
  readonly e: bigint;
}

export function quantiseBig(v: readonly bigint[], b: bigint): { q: bigint[]; scale: ScaleBig } {
  const largest = v.map(magnitude).reduce((a, x) => (x > a ? x : a), 0n);
  if (largest === 0n) return { q: v.map(() => 0n), scale: { m: 0n, e: 0n } };
  const p = 1n << (b - 1n);
  const sf = bits(largest) - 24n > -8n ? bits(largest) - 24n : -8n;
  const norm = (x: bigint): bigint => (sf > 0n ? floorShift(x, sf) : x << -sf);
  const d = (p - 1n) << 8n;
  const m = (norm(largest) * p + d - 1n) / d;
  const r = (1n << (b + 23n)) / m;
  return { q: v.map((x) => floorShift(within(norm(x) * r, 47n), 32n)), scale: { m, e: sf + 8n - (b - 1n) } };
}

export function sdivBig({ m, e }: ScaleBig, den: bigint): ScaleBig {
  const k = bits(den);
  const dn = k <= 32n ? den << (32n - k) : den >> (k - 32n);
  return { m: (m << 32n) / dn, e: e - k };
}

export function exp2nBig(d: bigint, o: bigint): bigint {
  const n = d >> 16n;
  const f = d & 65_535n;
  if (n > 31n) return 0n;
  const step = (g: bigint): bigint => floorShift(within(g * f, 46n), 16n);
  const g = 1_073_741_824n + step(-742_408_516n + step(247_557_401n + step(-42_019_797n)));
  return floorShift(g, 30n - o + n);
}

/** By bisection. */
export function isqrtBig(n: bigint): bigint {
  let low = 0n;
  let high = n + 1n;
  while (high - low > 1n) {
    const middle = (low + high) >> 1n;
    if (middle * middle <= n) low = middle;
    else high = middle;
  }
  return low;
}

export function rmsNormBig(
  x: readonly bigint[],
  w: readonly bigint[],
  weightExponent: bigint,
  epsilon: bigint,
  b: bigint,
): { q: bigint[]; scale: ScaleBig } {
  const v = within(
    x.reduce((sum, value) => sum + value * value, epsilon),
    79n,
  );
  const over = bits(v) - 52n;
  const s = over % 2n === 0n ? over : over + 1n;
  const normalised = s >= 0n ? v >> s : v << -s;
  if (normalised < 1n << 50n) throw new RangeError('normalised sum of squares below 2^50');
  const r = within(isqrtBig(within(normalised, 52n) / BigInt(x.length)), 26n);
  const { q, scale } = quantiseBig(
    x.map((value, i) => value * w[i]!),
    b,
  );
  const { m, e } = sdivBig(scale, r);
  return { q, scale: { m, e: e - weightExponent - s / 2n } };
}

/** Norm of a head of q or k, Q16 in and out. */
export function qkNormBig(x: readonly bigint[], w: readonly bigint[], weightExponent: bigint, epsilon: bigint): bigint[] {
  const v = within(
    x.reduce((sum, value) => sum + value * value, epsilon),
    71n,
  );
  const over = bits(v) - 52n;
  const s = over % 2n === 0n ? over : over + 1n;
  const r = within(isqrtBig((s >= 0n ? v >> s : v << -s) / BigInt(x.length)), 26n);
  if (r < 1n << 21n) throw new RangeError('root below 2^21');
  const inverse = (1n << 51n) / r;
  return x.map((value, i) => {
    const u = within(floorShift(within(value * inverse, 61n), 27n + s / 2n), 29n);
    return satBig(floorShift(within(u * w[i]!, 50n), clampShiftBig(weightExponent + 8n)));
  });
}

export const requantiseBig = (acc: bigint, rm: bigint, exponent: bigint, { m, e }: ScaleBig, f: bigint): bigint =>
  satBig(floorShift(within(floorShift(within(acc * rm, 58n), 22n) * m, 54n), clampShiftBig(exponent - 22n - e - f)));

export function ropeBig(x: readonly bigint[], table: readonly bigint[]): bigint[] {
  return x.map((value, i) => {
    const other = x[i ^ 1]!;
    const [c, s] = [table[i & ~1]!, table[i | 1]!];
    return satBig(floorShift(within(i % 2 === 0 ? value * c - other * s : other * s + value * c, 47n), 15n));
  });
}

export interface CacheBig {
  readonly k: readonly (readonly bigint[])[];
  readonly kScale: readonly bigint[];
  readonly v: readonly (readonly bigint[])[];
  readonly vScale: readonly bigint[];
}

/** Scores and output of one head over all positions of `cache`. */
export function attendBig(q: readonly bigint[], cache: CacheBig, cm: bigint, ce: bigint): { scores: bigint[]; out: bigint[] } {
  const query = quantiseBig(q, 14n);
  const mq = floorShift(query.scale.m * cm, 16n);
  const shift = clampShiftBig(7n - query.scale.e - ce);
  const scores = cache.k.map((key, j) => {
    const dot = within(
      key.reduce((sum, value, i) => sum + value * query.q[i]!, 0n),
      28n,
    );
    const t = floorShift(within(dot * cache.kScale[j]!, 60n), 16n);
    return clamp(floorShift(within(t * mq, 61n), shift), -(1n << 30n), 1n << 30n);
  });
  const largest = scores.reduce((a, b) => (a > b ? a : b));
  const p = scores.map((y) => exp2nBig(largest - y, 15n));
  const sum = p.reduce((a, b) => a + b);
  const weights = quantiseBig(
    p.map((value, j) => within(value * cache.vScale[j]!, 48n)),
    16n,
  );
  const { m, e } = sdivBig(weights.scale, sum);
  const out = q.map((_, c) => {
    const acc = weights.q.reduce((total, w, j) => total + w * cache.v[j]![c]!, 0n);
    return within(floorShift(within(acc * m, 60n), clampShiftBig(-e + 16n + 7n - 24n)), 41n);
  });
  return { scores, out };
}

export function swigluBig(g: bigint, u: bigint): bigint {
  const d = floorShift(within(magnitude(g) * 94_548n, 48n), 16n);
  const e = exp2nBig(d < 2_147_483_647n ? d : 2_147_483_647n, 24n);
  const sigmoid = ((g >= 0n ? 1n << 24n : e) << 20n) / ((1n << 24n) + e);
  return within(floorShift(g * sigmoid, 20n) * u, 62n);
}

/** One row of a matrix product; a block is 64 columns, `c` has one multiplier for each. */
export function matmulBig(w: readonly bigint[], c: readonly bigint[], q: readonly bigint[]): bigint {
  const blocks = c.map((multiplier, g) => {
    const sum = w.slice(64 * g, 64 * g + 64).reduce((total, weight, k) => total + weight * q[64 * g + k]!, 0n);
    return multiplier * within(sum, 26n);
  });
  return within(
    floorShift(
      within(
        blocks.reduce((a, b) => a + b, 0n),
        40n,
      ),
      4n,
    ),
    36n,
  );
}

export const embedBig = (w: bigint, c: bigint, rm: bigint, exponent: bigint): bigint =>
  satBig(floorShift(within(w * c * rm, 33n), clampShiftBig(exponent + 4n - 12n)));
