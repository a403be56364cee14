import { readFileSync } from 'node:fs';
import {
  ENGINE_SPEC,
  type Grammar,
  type Hex,
  type SamplerSettings,
  fromBase64,
  fromHex,
  padTo,
  parseGrammar,
  parseManifest,
  parseSampler,
} from '@commonweight/protocol';
import { describe, expect, it } from 'vitest';
import { GrammarMask } from '../grammar/grammar-mask.ts';
import { tokenVocabulary } from '../grammar/token-vocabulary.ts';
import { candidatesWithin } from '../sampler/candidates.ts';
import { log2Q24 } from '../sampler/log2.ts';
import { LogitAdjuster } from '../sampler/logit-adjuster.ts';
import { tokenLogprobs } from '../sampler/logprobs.ts';
import { sampleToken } from '../sampler/sample-token.ts';
import { lastWeighted, logitFactor, weigh } from '../sampler/weight.ts';
import { forwardDigests } from '../testing/forward-digests.ts';
import { memorySource } from '../testing/tiny-model.ts';
import { attend, scores } from './attention.ts';
import { blockIndex, packedIndex } from './check-tensors.ts';
import { embed } from './embedding.ts';
import { createReferenceExecutor } from './executor.ts';
import { exp2n } from './exp2n.ts';
import { isqrt } from './isqrt.ts';
import { type KeyValueHead, cacheEntry } from './kv-cache.ts';
import { matmul } from './matmul.ts';
import { qkNorm } from './qk-norm.ts';
import { type Quantised, quantise, quantiseWide } from './quantise.ts';
import { requantise } from './requantise.ts';
import { addSaturating } from './add-saturating.ts';
import { rmsNormQuantise } from './rms-norm.ts';
import { rope } from './rope.ts';
import { rsh, rshBig } from './rsh.ts';
import { sdiv } from './scale.ts';
import { swiglu } from './swiglu.ts';

interface Expectation {
  readonly expect: unknown;
}

/** Runs every case of one file of conformance/ops; -0 and 0 are the same integer. */
function conforms<Case>(op: string, atLeast: number, run: (input: Case) => unknown): void {
  it(`${op}.json`, () => {
    const file = JSON.parse(readFileSync(new URL(`../../../../conformance/ops/${op}.json`, import.meta.url), 'utf8')) as {
      readonly spec: string;
      readonly op: string;
      readonly cases: readonly (Case & Expectation)[];
    };
    expect([file.spec, file.op]).toEqual([ENGINE_SPEC, op]);
    expect(file.cases.length).toBeGreaterThanOrEqual(atLeast);
    for (const [i, one] of file.cases.entries()) expect(JSON.parse(JSON.stringify(run(one))), `case ${i}`).toEqual(one.expect);
  });
}

/** For an operation that exists twice: on Numbers and on big integers. */
function assertSame(small: string, wide: string): void {
  if (small !== wide) throw new Error(`on Numbers ${small}, on big integers ${wide}`);
}

const flat = ({ q, scale }: Quantised) => ({ q: [...q], ...scale });

describe('conformance/ops', () => {
  conforms<{ x: string; shift: number }>('rsh', 50, ({ x, shift }) => {
    const small = Number(x);
    if (Math.abs(small) <= 2 ** 52 && shift <= 52) assertSame(String(rsh(small, shift)), String(rshBig(BigInt(x), shift)));
    return String(rshBig(BigInt(x), shift));
  });
  conforms<{ values: string[]; bits: number }>('quantise', 50, ({ values, bits }) => {
    const wide = flat(quantiseWide(BigInt64Array.from(values, BigInt), bits));
    if (values.every((value) => Math.abs(Number(value)) <= 2 ** 52))
      assertSame(JSON.stringify(flat(quantise(values.map(Number), bits))), JSON.stringify(wide));
    return wide;
  });
  conforms<{ mantissa: number; exponent: number; denominator: string }>('sdiv', 30, ({ denominator, ...scale }) =>
    sdiv(scale, BigInt(denominator)),
  );
  conforms<{ d: number; fractionBits: number }>('exp2n', 100, ({ d, fractionBits }) => exp2n(d, fractionBits));
  conforms<{ n: string }>('isqrt', 30, ({ n }) => String(isqrt(BigInt(n))));
  conforms<{ weights: number[]; blockMultipliers: number[]; multiplier: number; exponent: number }>(
    'embedding',
    10,
    ({ weights, blockMultipliers, multiplier, exponent }) => [
      ...embed(Int8Array.from(weights), Uint8Array.from(blockMultipliers), multiplier, exponent),
    ],
  );
  conforms<{ x: number[]; weights: number[]; exponent: number; epsilon: number; bits: number }>(
    'rms-norm',
    20,
    ({ x, weights, exponent, epsilon, bits }) =>
      flat(rmsNormQuantise(Int32Array.from(x), { weights: Int32Array.from(weights), exponent }, epsilon, bits)),
  );
  conforms<{ rows: number; columns: number; packed: string; blockMultipliers: string; q: number[] }>(
    'matmul',
    6,
    ({ rows, columns, packed, blockMultipliers, q }) => {
      const [paddedRows, paddedColumns] = [padTo(rows, 16), padTo(columns, 64)];
      const blocks = paddedColumns / 64;
      const bytes = new Int8Array(fromHex(packed, paddedRows * paddedColumns));
      const multipliers = fromHex(blockMultipliers, paddedRows * blocks);
      const unpacked = {
        rows,
        weights: Int8Array.from(
          { length: rows * columns },
          (_, i) => bytes[packedIndex(Math.floor(i / columns), i % columns, paddedColumns)]!,
        ),
        blockMultipliers: Uint8Array.from(
          { length: rows * blocks },
          (_, i) => multipliers[blockIndex(Math.floor(i / blocks), i % blocks, blocks)]!,
        ),
      };
      return [...matmul(unpacked, Int16Array.from(q))];
    },
  );
  conforms<{ x: number[]; weights: number[]; exponent: number; epsilon: number }>('qk-norm', 15, ({ x, weights, exponent, epsilon }) => [
    ...qkNorm(Int32Array.from(x), { weights: Int32Array.from(weights), exponent }, epsilon),
  ]);
  conforms<{ acc: number; multiplier: number; exponent: number; mantissa: number; scaleExponent: number; fractionBits: number }>(
    'requantise',
    100,
    (c) => requantise(c.acc, c.multiplier, c.exponent, { mantissa: c.mantissa, exponent: c.scaleExponent }, c.fractionBits),
  );
  conforms<{ head: number[]; table: number[] }>('rope', 6, ({ head, table }) => [...rope(Int32Array.from(head), Int16Array.from(table))]);
  conforms<{ vector: number[] }>('cache-entry', 10, ({ vector }) => {
    const { q, scale } = cacheEntry(Int32Array.from(vector));
    return { q: [...q], scale };
  });
  conforms<{
    q: number[];
    keys: number[][];
    keyScales: number[];
    values: number[][];
    valueScales: number[];
    mantissa: number;
    exponent: number;
  }>('attention', 10, (c) => {
    const head: KeyValueHead = {
      keys: Int8Array.from(c.keys.flat()),
      keyScales: Uint32Array.from(c.keyScales),
      values: Int8Array.from(c.values.flat()),
      valueScales: Uint32Array.from(c.valueScales),
    };
    const q = Int32Array.from(c.q);
    return { scores: [...scores(q, head, c.keys.length, c)], out: [...attend(q, head, c.keys.length, c)] };
  });
  conforms<{ gate: number; up: number }>('swiglu', 50, ({ gate, up }) => String(swiglu(Int32Array.of(gate), Int32Array.of(up))[0]));
  conforms<{ x: number; y: number }>('residual-add', 10, ({ x, y }) => {
    const residual = Int32Array.of(x);
    addSaturating(residual, Int32Array.of(y));
    return residual[0];
  });
  conforms<{ logits: number[]; temperature: number }>('logit-weights', 6, ({ logits, temperature }) => {
    const largest = Math.max(...logits);
    const factor = logitFactor(temperature);
    const set = candidatesWithin(Int32Array.from(logits), largest, lastWeighted(factor));
    weigh(set.deltas, set.count, factor, set.weights);
    const weights = logits.map(() => 0);
    for (let i = 0; i < set.count; i++) weights[set.ids[i]!] = set.weights[i]!;
    return weights;
  });
  interface Before {
    readonly logits: number[];
    readonly settings: SamplerSettings;
    readonly prompt: number[];
    readonly completion: number[];
  }
  const adjusted = ({ logits, settings, prompt, completion }: Before): Int32Array => {
    const adjuster = new LogitAdjuster(parseSampler(settings, 'settings'), prompt);
    for (const id of completion) adjuster.accept(id);
    return adjuster.adjust(Int32Array.from(logits));
  };
  conforms<Before>('adjust-logits', 60, (given) => [...adjusted(given)]);
  conforms<Before & { draw: string }>('sampler', 300, (given) => sampleToken(adjusted(given), given.settings, BigInt(given.draw)));
  conforms<{ grammar: Grammar; tokens: Hex[]; stopIds: number[]; completion: number[] }>('grammar', 120, (given) => {
    const bytes = given.tokens.map((token) => fromHex(token));
    const mask = new GrammarMask(
      parseGrammar(given.grammar, 'grammar'),
      tokenVocabulary(bytes.length, (id) => bytes[id]!),
      given.stopIds,
    );
    for (const id of given.completion) mask.accept(id);
    const masked = mask.apply(new Int32Array(bytes.length)) ?? [];
    return [...masked.keys()].filter((id) => masked[id] === 0);
  });
  conforms<{ w: number }>('log2', 80, ({ w }) => log2Q24(w));
  conforms<{ logits: number[]; id: number; top: number }>('logprobs', 60, ({ logits, id, top }) =>
    tokenLogprobs(Int32Array.from(logits), id, top),
  );
  conforms<{ manifest: unknown; weights: string; ids: number[] }>('forward', 3, ({ manifest, weights, ids }) =>
    forwardDigests(createReferenceExecutor(parseManifest(manifest), memorySource(fromBase64(weights))), ids),
  );
});
