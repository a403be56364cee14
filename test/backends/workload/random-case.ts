import { Sampler, tokenLogprobs } from '@commonweight/engine';
import { samplerSettings } from '@commonweight/protocol';
import type { Operation } from './plan.ts';
import type { MatrixCase, Operations, Quantised } from './operations.ts';
import { INT32_MAX, type RandomValues } from './random-values.ts';

/** What a case gives, as integers in a fixed order. */
export type CaseResult = readonly (ArrayLike<number> | BigInt64Array)[];

/** Draws one case of `operation` and runs it. Sizes are small, so that a million take minutes; one in 64 is long enough to leave int32. */
export function runRandomCase(operation: Operation, random: RandomValues, on: Operations): CaseResult {
  const long = random.integer(0, 63) === 0;
  switch (operation) {
    case 'exp2n':
      return [
        [
          on.exp2n(
            random.integer(0, 3) === 0 ? Math.abs(random.spread()) : random.integer(0, 40 * 65_536),
            random.integer(0, 1) === 0 ? 15 : 24,
          ),
        ],
      ];
    case 'isqrt':
      return [BigInt64Array.of(on.isqrt(random.big(62)))];
    case 'sdiv': {
      const { mantissa, exponent } = on.sdiv(
        { mantissa: random.integer(0, 131_071), exponent: random.integer(-60, 60) },
        random.big(61) + 1n,
      );
      return [[mantissa, exponent]];
    }
    case 'quantise': {
      const bits = random.integer(0, 61);
      return words(
        on.quantise(
          BigInt64Array.from({ length: random.integer(1, 40) }, () => random.signedBig(bits)),
          random.integer(8, 16),
        ),
      );
    }
    case 'rmsNorm': {
      const n = long ? random.integer(500, 2000) : random.integer(1, 40);
      const epsilon = random.integer(1, 2 ** 31) * 2 ** random.integer(0, 16);
      const x = random.int32s(n, random.limit(31));
      return words(on.rmsNorm(x, random.int32s(n, 2 ** 21), random.integer(-64, 64), epsilon, random.integer(8, 14)));
    }
    case 'matmul':
      return matmulCase(random, on, long);
    case 'embed': {
      const matrix = randomMatrix(random, random.integer(1, 20), random.integer(1, 70), random.integer(-64, 64));
      return [on.embed(matrix, random.integer(0, matrix.rows - 1))];
    }
    case 'qkNorm': {
      const n = 2 * random.integer(1, long ? 128 : 20);
      const epsilon = random.integer(1, 2 ** 31) * 2 ** random.integer(0, 16);
      const x = random.int32s(n, random.limit(31));
      return [on.qkNorm(x, random.int32s(n, 2 ** 21), random.integer(-64, 64), epsilon)];
    }
    case 'rope': {
      const size = 2 * random.integer(1, 32);
      return [on.rope(random.int32s(size), random.int16s(size, 32_767))];
    }
    case 'attend': {
      const size = 2 * random.integer(1, 16);
      const limit = random.limit(31);
      const entries = Array.from({ length: random.integer(1, long ? 200 : 12) }, () => ({
        key: random.int32s(size, limit),
        value: random.int32s(size, limit),
      }));
      const constant = { mantissa: random.integer(2 ** 15, 2 ** 16 - 1), exponent: random.integer(-8, 0) };
      return [on.attend({ q: random.int32s(size, limit), table: random.int16s(size, 32_767), entries, constant })];
    }
    case 'swiglu': {
      const n = random.integer(1, 40);
      return [on.swiglu(random.int32s(n, random.limit(31)), random.int32s(n))];
    }
    case 'residualAdd': {
      const n = random.integer(1, 40);
      return [on.residualAdd(random.int32s(n), random.int32s(n))];
    }
    case 'sampler':
      return [samplerCase(random)];
  }
}

const words = ({ q, scale }: Quantised): CaseResult => [q, [scale.mantissa, scale.exponent]];

function randomMatrix(random: RandomValues, rows: number, columns: number, exponent: number): MatrixCase {
  return {
    rows,
    columns,
    exponent,
    weights: Int8Array.from({ length: rows * columns }, () => random.integer(-127, 127)),
    blockMultipliers: Uint8Array.from({ length: rows * Math.ceil(columns / 64) }, () => random.integer(0, 15)),
    multipliers: Int32Array.from({ length: rows }, () => (random.integer(0, 7) === 0 ? 2 ** 22 : random.integer(0, 2 ** 22))),
  };
}

function matmulCase(random: RandomValues, on: Operations, long: boolean): CaseResult {
  const columns = long ? random.integer(2040, 4200) : random.integer(1, 100);
  const matrix = randomMatrix(random, random.integer(1, long ? 4 : 12), columns, random.integer(-10, 40));
  const saturated = random.integer(0, 7) === 0;
  if (saturated) {
    matrix.weights.fill(random.integer(0, 1) === 0 ? 127 : -127);
    matrix.blockMultipliers.fill(15);
  }
  const count = random.integer(1, 3);
  const vectors = Array.from({ length: count }, () =>
    saturated ? new Int16Array(columns).fill(random.integer(0, 1) === 0 ? 8191 : -8191) : random.int16s(columns, random.limit(13)),
  );
  const scales = vectors.map(() => ({ mantissa: random.integer(0, 2 ** 18 - 1), exponent: random.integer(-60, 10) }));
  return on.matmul({ matrix, vectors, scales, fractionBits: random.integer(0, 1) === 0 ? 12 : 16 });
}

/** The sampler is TypeScript in every back end; what differs is the JavaScript engine that runs it. */
function samplerCase(random: RandomValues): number[] {
  const logits = random.int32s(random.integer(1, 100), random.integer(0, 3) === 0 ? INT32_MAX : 2 ** 20);
  const off = (): boolean => random.integer(0, 1) === 0;
  const id = (): number => random.integer(0, logits.length - 1);
  const settings = samplerSettings({
    temperature: random.integer(0, 9) === 0 ? 0 : random.integer(10_000, 2_000_000),
    topK: off() ? 0 : random.integer(1, 60),
    topP: off() ? 1_000_000 : random.integer(1, 1_000_000),
    minP: off() ? 0 : random.integer(1, 1_000_000),
    repetitionPenalty: off() ? 1_000_000 : random.integer(10_000, 2_000_000),
    presencePenalty: off() ? 0 : random.integer(-2_000_000, 2_000_000),
    frequencyPenalty: off() ? 0 : random.integer(-2_000_000, 2_000_000),
    logitBias: off() ? [] : [[id(), random.integer(1, 100_000_000)]],
  });
  const prfKey = Uint8Array.from({ length: 32 }, () => random.integer(0, 255));
  const sampler = new Sampler({ settings, prfKey, promptIds: [id(), id()] });
  sampler.accept(id());
  const token = sampler.sample(logits);
  const { logprob, top } = tokenLogprobs(logits, token, 3);
  return [token, logprob, ...top.flat()];
}
