// Writes conformance/ops/*.json: npx tsx packages/engine/scripts/make-op-vectors.ts
// Outputs come from the big-integer restatement of the SPEC, not from the reference, which a test then compares with them;
// `forward` alone comes from the reference.
import { mkdirSync, writeFileSync } from 'node:fs';
import {
  ENGINE_SPEC,
  type Grammar,
  type SamplerSettings,
  padTo,
  parseGrammar,
  samplerSettings,
  toBase64,
  toHex,
  utf8,
} from '@commonweight/protocol';
import { createReferenceExecutor } from '../src/reference/executor.ts';
import { blockIndex, packedIndex } from '../src/reference/check-tensors.ts';
import * as spec from '../src/testing/restatements.ts';
import { adjustedLogits, log2Q24Big, sortingLogprobs, sortingSampler, sortingWeights } from '../src/testing/sorting-sampler.ts';
import { naiveAllowed, randomGrammar } from '../src/testing/naive-grammar.ts';
import { forwardDigests } from '../src/testing/forward-digests.ts';
import { buildTinyModel } from '../src/testing/tiny-model.ts';
import { Xorshift } from '../src/testing/xorshift.ts';

const folder = new URL('../../../conformance/ops/', import.meta.url);
const MAX = 2 ** 31 - 1;
const random = new Xorshift(14);

const big = (values: readonly number[]): bigint[] => values.map(BigInt);
const numbers = (values: readonly bigint[]): number[] => values.map(Number);
const list = <T>(length: number, make: (index: number) => T): T[] => Array.from({ length }, (_, i) => make(i));
const uniform = (limit: number) => (): number => random.integer(-limit, limit);
/** Signed, of every magnitude below 2^bits. */
const wild = (bits: number): bigint => {
  const value = ((BigInt(random.uint32()) << 32n) | BigInt(random.uint32())) >> BigInt(64 - random.integer(0, bits));
  return random.integer(0, 1) ? -value : value;
};
const wildNumber = (bits: number): number => Number(wild(bits));
const scaleOf = ({ m, e }: spec.ScaleBig) => ({ mantissa: Number(m), exponent: Number(e) });
const quantised = ({ q, scale }: { q: bigint[]; scale: spec.ScaleBig }) => ({ q: numbers(q), ...scaleOf(scale) });

function write(op: string, section: string, cases: readonly object[]): void {
  const lines = cases.map(
    (one) => `    ${JSON.stringify(one, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value))}`,
  );
  const head = `{\n  "spec": "${ENGINE_SPEC}",\n  "section": "${section}",\n  "op": "${op}",\n  "cases": [\n`;
  writeFileSync(new URL(`${op}.json`, folder), `${head}${lines.join(',\n')}\n  ]\n}\n`);
}

function rsh(): object[] {
  const fixed = [
    [3n, 1],
    [-3n, 1],
    [-1n, 1],
    [1n, 1],
    [0n, 0],
    [-7n, 0],
    [2n ** 62n, 62],
    [-(2n ** 62n), 62],
    [2n ** 61n, 62],
    [-(2n ** 61n), 62],
    [-(2n ** 61n) - 1n, 62],
  ] as const;
  const cases = [...fixed, ...list(60, () => [wild(62), random.integer(0, 62)] as const)];
  return cases.map(([x, shift]) => ({ x, shift, expect: spec.floorShift(x, BigInt(shift)) }));
}

function quantise(): object[] {
  const limit = 2n ** 62n - 1n;
  const vectors = [
    [0n, 0n],
    [1n],
    [-1n, 0n, 1n],
    [limit, -limit, 1n],
    [2n ** 52n, -(2n ** 52n), 2n ** 30n],
    [65_535n, -65_535n],
    [65_536n, 255n],
    [16_777_215n, 16_777_216n, -1n],
  ];
  for (let bits = 4; bits <= 62; bits += 3) vectors.push(list(8, () => wild(bits)));
  return vectors.flatMap((values) =>
    [8, 14, 16].map((bits) => ({ values, bits, expect: quantised(spec.quantiseBig(values, BigInt(bits))) })),
  );
}

function sdiv(): object[] {
  const denominators = [
    1n,
    2n,
    3n,
    2n ** 31n,
    2n ** 32n - 1n,
    2n ** 32n,
    2n ** 32n + 1n,
    2n ** 33n - 1n,
    2n ** 62n - 1n,
    ...list(24, () => wild(62)).map((x) => (x < 0n ? -x : x) || 1n),
  ];
  return denominators.map((denominator, i) => {
    const mantissa = i % 4 === 0 ? 66_053 : random.integer(0, 66_053);
    const exponent = random.integer(-40, 20);
    return { mantissa, exponent, denominator, expect: scaleOf(spec.sdivBig({ m: BigInt(mantissa), e: BigInt(exponent) }, denominator)) };
  });
}

function exp2n(): object[] {
  const distances = [
    0,
    1,
    65_535,
    65_536,
    65_537,
    15 * 65_536,
    16 * 65_536,
    16 * 65_536 + 1,
    25 * 65_536,
    25 * 65_536 + 1,
    31 * 65_536 + 65_535,
    32 * 65_536,
    2 ** 31 - 1,
    2 ** 31,
    ...list(50, () => random.uint32() >>> random.integer(1, 31)),
  ];
  return distances.flatMap((d) =>
    [15, 24].map((fractionBits) => ({ d, fractionBits, expect: Number(spec.exp2nBig(BigInt(d), BigInt(fractionBits))) })),
  );
}

function isqrt(): object[] {
  const around = list(12, () => BigInt(random.uint32() >>> random.integer(6, 28))).flatMap((root) => [
    root * root - 1n,
    root * root,
    root * root + 2n * root,
  ]);
  return [0n, 1n, 2n, 3n, 4n, 2n ** 52n - 1n, ...around].filter((n) => n >= 0n).map((n) => ({ n, expect: spec.isqrtBig(n) }));
}

function embedding(): object[] {
  return [-64, 0, 11, 12, 13, 20, 28, 31, 42, 64].map((exponent) => {
    const weights = [-127, 127, 0, 1, -1, ...list(65, uniform(127))];
    const multiplier = exponent === 28 ? 0 : exponent % 2 ? 1 << 22 : random.integer(1, 1 << 22);
    const blockMultipliers = [random.integer(0, 15), 15];
    return {
      weights,
      blockMultipliers,
      multiplier,
      exponent,
      expect: weights.map((w, k) =>
        Number(spec.embedBig(BigInt(w), BigInt(blockMultipliers[Math.floor(k / 64)]!), BigInt(multiplier), BigInt(exponent))),
      ),
    };
  });
}

function rmsNorm(): object[] {
  const inputs: [number[], number[], number, number][] = [
    [list(16, () => 0), list(16, () => 1 << 20), 20, 1],
    [[1], [1], 0, 1],
    [list(16, (i) => (i % 3 ? MAX : -MAX)), list(16, () => 1 << 21), 20, 2 ** 48],
    [list(16, (i) => (i === 5 ? 24_921 * 4096 : 4096)), list(16, () => 1 << 20), 20, 10_737],
  ];
  for (let bits = 3; bits <= 31; bits += 4)
    inputs.push([list(20, () => wildNumber(bits)), list(20, () => wildNumber(21)), random.integer(-10, 30), random.integer(1, 1 << 20)]);
  return inputs.flatMap(([x, weights, exponent, epsilon]) =>
    [8, 14].map((bits) => ({
      x,
      weights,
      exponent,
      epsilon,
      bits,
      expect: quantised(spec.rmsNormBig(big(x), big(weights), BigInt(exponent), BigInt(epsilon), BigInt(bits))),
    })),
  );
}

function matmul(): object[] {
  const shapes = [
    [1, 1, 0],
    [16, 64, 0],
    [5, 7, 0],
    [17, 65, 0],
    [33, 130, 0],
    [3, 2049, 127],
  ] as const;
  return shapes.map(([rows, columns, extreme]) => {
    const weights = list(rows, (n) => list(columns, () => (extreme ? (n === 0 ? extreme : -extreme) : random.integer(-127, 127))));
    const q = list(columns, () => (extreme ? 8191 : random.integer(-8191, 8191)));
    const padded = padTo(columns, 64);
    const packed = new Int8Array(padTo(rows, 16) * padded);
    for (const [n, row] of weights.entries()) for (const [k, w] of row.entries()) packed[packedIndex(n, k, padded)] = w;
    const multipliers = list(rows, () => list(padded / 64, () => (extreme ? 15 : random.integer(0, 15))));
    const packedMultipliers = new Uint8Array((padTo(rows, 16) * padded) / 64);
    for (const [n, row] of multipliers.entries()) for (const [g, c] of row.entries()) packedMultipliers[blockIndex(n, g, padded / 64)] = c;
    const expect = weights.map((row, n) => Number(spec.matmulBig(big(row), big(multipliers[n]!), big(q))));
    return { rows, columns, packed: toHex(new Uint8Array(packed.buffer)), blockMultipliers: toHex(packedMultipliers), q, expect };
  });
}

function requantise(): object[] {
  const bound = 127 * 8191 * 65_536;
  const inputs: [number, number, number, number, number][] = [
    [bound, 1 << 22, -64, (1 << 18) - 1, 40],
    [-bound, 1 << 22, -64, (1 << 18) - 1, 40],
    [-bound, 1 << 22, 64, (1 << 18) - 1, -60],
    [0, 1 << 22, 30, 1000, -10],
    [-1, 1, 22, 1, 0],
    [-1, 1 << 21, 38, 1, 0],
    [12_345, 0, 30, 1000, -10],
  ];
  for (let i = 0; i < 60; i++)
    inputs.push([
      wildNumber(i % 3 ? 31 : 35),
      random.integer(0, 1 << 22),
      random.integer(20, 36),
      random.integer(1 << 15, 1 << 18),
      random.integer(-40, 0),
    ]);
  return inputs.flatMap(([acc, multiplier, exponent, mantissa, scaleExponent]) =>
    [12, 16].map((fractionBits) => {
      const expect = Number(
        spec.requantiseBig(
          BigInt(acc),
          BigInt(multiplier),
          BigInt(exponent),
          { m: BigInt(mantissa), e: BigInt(scaleExponent) },
          BigInt(fractionBits),
        ),
      );
      return { acc, multiplier, exponent, mantissa, scaleExponent, fractionBits, expect };
    }),
  );
}

function rope(): object[] {
  const inputs: [number[], number[]][] = [
    [
      [MAX, -MAX, MAX, MAX],
      [32_767, 32_767, -32_767, -32_767],
    ],
    [
      [1_000_000, -65_536, 3, 0],
      [32_767, 0, 32_767, 0],
    ],
    ...[8, 16, 20, 31].map((bits): [number[], number[]] => [list(8, () => wildNumber(bits)), list(8, uniform(32_767))]),
  ];
  return inputs.map(([head, table]) => ({ head, table, expect: numbers(spec.ropeBig(big(head), big(table))) }));
}

function qkNorm(): object[] {
  const inputs: [number[], number[], number, number][] = [
    [list(4, () => 0), list(4, () => 1 << 20), 20, 1],
    [[1, 0], [1 << 21, 1], 21, 1],
    [list(16, (i) => (i % 3 ? MAX : -MAX)), list(16, () => 1 << 21), -64, 2 ** 48],
    [list(16, (i) => (i === 5 ? MAX : 0)), list(16, () => 1 << 21), 16, 1],
  ];
  for (let bits = 3; bits <= 31; bits += 2)
    inputs.push([list(8, () => wildNumber(bits)), list(8, () => wildNumber(21)), random.integer(10, 30), random.integer(1, 1 << 20)]);
  return inputs.map(([x, weights, exponent, epsilon]) => ({
    x,
    weights,
    exponent,
    epsilon,
    expect: numbers(spec.qkNormBig(big(x), big(weights), BigInt(exponent), BigInt(epsilon))),
  }));
}

const cached = (vector: readonly number[]) => {
  const { q, scale } = spec.quantiseBig(big(vector), 8n);
  return { q: numbers(q), scale: Number(scale.m << (scale.e + 7n)) };
};

function cacheEntry(): object[] {
  const vectors = [[0, 0], [1, 0], [MAX, -MAX], [-1], ...list(10, (i) => list(8, () => wildNumber(3 * i + 3)))];
  return vectors.map((vector) => ({ vector, expect: cached(vector) }));
}

function attention(): object[] {
  const make = (size: number, positions: number, vector: () => number[], constant: { mantissa: number; exponent: number }) => {
    const q = vector().slice(0, size);
    const [keys, values] = [list(positions, () => cached(vector().slice(0, size))), list(positions, () => cached(vector().slice(0, size)))];
    const cache = {
      k: keys.map((k) => big(k.q)),
      kScale: big(keys.map((k) => k.scale)),
      v: values.map((v) => big(v.q)),
      vScale: big(values.map((v) => v.scale)),
    };
    const { scores, out } = spec.attendBig(big(q), cache, BigInt(constant.mantissa), BigInt(constant.exponent));
    return {
      q,
      keys: keys.map((k) => k.q),
      keyScales: keys.map((k) => k.scale),
      values: values.map((v) => v.q),
      valueScales: values.map((v) => v.scale),
      ...constant,
      expect: { scores: numbers(scores), out: numbers(out) },
    };
  };
  const usual = { mantissa: 47_274, exponent: -2 };
  const cases = [
    make(4, 1, () => list(4, () => MAX), { mantissa: 65_535, exponent: 8 }),
    make(4, 3, () => list(4, () => (random.integer(0, 1) ? MAX : -MAX)), { mantissa: 65_535, exponent: 8 }),
    make(4, 2, () => list(4, () => 0), usual),
  ];
  for (const spread of [2 ** 10, 2 ** 16, 2 ** 18, 2 ** 20, 2 ** 24, 2 ** 30])
    cases.push(make(8, 9, () => list(8, uniform(spread)), usual));
  cases.push(
    make(64, 12, () => list(64, uniform(2 ** 18)), usual),
    make(4, 520, () => list(4, uniform(2 ** 14)), { mantissa: 47_274, exponent: 0 }),
  );
  return cases;
}

function swiglu(): object[] {
  const pairs = [
    [MAX, MAX],
    [MAX, -MAX],
    [-MAX, MAX],
    [0, 5],
    [5, 0],
    [65_536, 65_536],
    [-65_536, 65_536],
    [-83_770, 65_536],
    [1, 1],
    [-1, 1],
    ...list(40, () => [wildNumber(31), wildNumber(31)]),
  ] as [number, number][];
  return pairs.map(([gate, up]) => ({ gate, up, expect: spec.swigluBig(BigInt(gate), BigInt(up)) }));
}

function residualAdd(): object[] {
  const pairs = [[MAX, 1], [-MAX, -1], [MAX, -MAX], [MAX, MAX], [0, 0], ...list(10, () => [wildNumber(31), wildNumber(31)])] as [
    number,
    number,
  ][];
  return pairs.map(([x, y]) => ({ x, y, expect: Number(spec.satBig(BigInt(x) + BigInt(y))) }));
}

function logitWeights(): object[] {
  return [10_000, 300_000, 700_000, 1_000_000, 2_000_000, 100_000_000].map((temperature) => {
    const logits = [
      MAX,
      MAX - 1,
      MAX - 65_536,
      MAX - 700_000,
      0,
      -MAX,
      ...list(10, () => MAX - (random.uint32() >>> random.integer(4, 28))),
    ];
    return { logits, temperature, expect: numbers(sortingWeights(Int32Array.from(logits), temperature)) };
  });
}

const pick = <T>(values: readonly T[]): T => values[random.integer(0, values.length - 1)]!;

/** Settings with bias and penalties, and ids before, in three of four cases. */
function before(size: number, i: number): { settings: Partial<SamplerSettings>; prompt: number[]; completion: number[] } {
  const ids = (most: number): number[] => list(random.integer(0, most), () => random.integer(0, size - 1));
  const biased = [...new Set(ids(3))].sort((a, b) => a - b);
  const settings = {
    repetitionPenalty: pick([1_000_000, 10_000, 1_100_000, 1_333_333, 2_000_000]),
    presencePenalty: pick([0, 500_000, 2_000_000, -2_000_000, 333_333]),
    frequencyPenalty: pick([0, 500_000, 2_000_000, -2_000_000, -1]),
    logitBias: biased.map((id) => [id, pick([100_000_000, -100_000_000, 1, -1, 7, 8, 1_500_000])] as const),
  };
  return { settings: i % 4 === 0 ? {} : settings, prompt: [0, ...ids(3)], completion: ids(5) };
}

function adjustLogits(): object[] {
  return list(60, (i) => {
    const logits = [MAX, -MAX, 0, 1, -1, ...list(random.integer(0, 12), () => wildNumber(31))];
    const { settings: given, prompt, completion } = before(logits.length, i + 1);
    const settings = samplerSettings(given);
    return {
      logits,
      settings,
      prompt,
      completion,
      expect: numbers(adjustedLogits(Int32Array.from(logits), settings, { prompt, completion })),
    };
  });
}

function sampler(): object[] {
  const temperatures = [0, 10_000, 300_000, 700_000, 1_000_000, 2_000_000, 100_000_000];
  return list(300, (i) => {
    const spread = 2 ** random.integer(2, 24);
    const step = i % 3 ? 1 : Math.ceil(spread / 4);
    const logits = list(random.integer(1, 24), () => random.integer(-Math.floor(spread / step), Math.floor(spread / step)) * step);
    const { settings: given, prompt, completion } = before(logits.length, i);
    const settings = samplerSettings({
      temperature: temperatures[i % 7]!,
      topK: [0, 1, 2, 5, 40][i % 5]!,
      topP: [1_000_000, 999_999, 900_000, 500_000, 1][Math.floor(i / 5) % 5]!,
      minP: [0, 50_000, 1_000_000, 0, 1, 500_000][i % 6]!,
      ...given,
    });
    const draw = [0n, 2n ** 64n - 1n][i % 11] ?? (BigInt(random.uint32()) << 32n) | BigInt(random.uint32());
    const expect = sortingSampler(Int32Array.from(logits), settings, draw, { prompt, completion });
    return { logits, settings, prompt, completion, draw, expect };
  });
}

function log2(): object[] {
  const edges = Array.from({ length: 21 }, (_, n) => [2 ** (24 + n) - 1, 2 ** (24 + n), 2 ** (24 + n) + 1])
    .flat()
    .slice(1, -1);
  const weights = [...edges, ...list(40, () => 2 ** random.integer(24, 43) + random.uint32() / 2 ** random.integer(8, 32))].map(Math.floor);
  return weights.map((w) => ({ w, expect: Number(log2Q24Big(BigInt(w))) }));
}

function logprobs(): object[] {
  return list(60, (i) => {
    const spread = 2 ** random.integer(2, i % 5 ? 22 : 30);
    const step = i % 3 ? 1 : Math.ceil(spread / 4);
    const size = random.integer(1, 40);
    const logits = list(size, () => random.integer(-Math.floor(spread / step), Math.floor(spread / step)) * step);
    if (i === 0) logits.push(MAX, -MAX);
    const id = random.integer(0, size - 1);
    const top = [0, 1, 5, 20][i % 4]!;
    const { logprobs: of, order } = sortingLogprobs(Int32Array.from(logits));
    return { logits, id, top, expect: { logprob: Number(of[id]!), top: order.slice(0, top).map((other) => [other, Number(of[other]!)]) } };
  });
}

function forward(): object[] {
  const models = [
    { seed: 3, layers: 2, width: 40, heads: 3, kvHeads: 1, headDimension: 6, ffnWidth: 50, vocabulary: 33, context: 24 },
    {
      seed: 4,
      layers: 1,
      width: 24,
      heads: 2,
      kvHeads: 2,
      headDimension: 8,
      ffnWidth: 30,
      vocabulary: 17,
      context: 24,
      head: 'untied',
      gain: 16,
    },
    {
      seed: 5,
      layers: 1,
      width: 24,
      heads: 2,
      kvHeads: 1,
      headDimension: 10,
      ffnWidth: 20,
      vocabulary: 17,
      context: 24,
      qkvBias: true,
      qkNorm: true,
    },
  ] as const;
  return models.map((options) => {
    const { manifest, weights, source } = buildTinyModel(options);
    const ids = list(20, () => random.integer(0, options.vocabulary - 1));
    return { manifest, weights: toBase64(weights), ids, expect: forwardDigests(createReferenceExecutor(manifest, source), ids) };
  });
}

function grammar(): object[] {
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

mkdirSync(folder, { recursive: true });
write('rsh', '1', rsh());
write('quantise', '1', quantise());
write('sdiv', '1', sdiv());
write('exp2n', '1', exp2n());
write('isqrt', '1', isqrt());
write('embedding', '3', embedding());
write('rms-norm', '4', rmsNorm());
write('matmul', '5', matmul());
write('requantise', '6', requantise());
write('rope', '7', rope());
write('cache-entry', '8', cacheEntry());
write('attention', '9-10', attention());
write('swiglu', '11', swiglu());
write('residual-add', '12', residualAdd());
write('logit-weights', '14', logitWeights());
write('forward', '3-13', forward());
write('adjust-logits', '14', adjustLogits());
write('sampler', '14', sampler());
write('log2', '14.1', log2());
write('logprobs', '14.1', logprobs());
write('qk-norm', '6.2', qkNorm());
write('grammar', '14.2', grammar());
