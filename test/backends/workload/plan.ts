import { tinyShapes } from '@commonweight/engine/testing';

/** `real` is the default model, everything else a small one made from a shape and a seed. */
export type ModelName = 'real' | `${keyof typeof tinyShapes}-${number}`;

export const operations = [
  'exp2n',
  'isqrt',
  'sdiv',
  'quantise',
  'rmsNorm',
  'matmul',
  'embed',
  'qkNorm',
  'rope',
  'attend',
  'swiglu',
  'residualAdd',
  'sampler',
] as const;
export type Operation = (typeof operations)[number];

/** One request, or one block of random cases. Everything in it follows from the seed, so an item can be run alone. */
export type Item =
  | { readonly kind: 'generation'; readonly id: string; readonly model: ModelName; readonly seed: number; readonly tokens: number }
  | { readonly kind: 'kernels'; readonly id: string; readonly operation: Operation; readonly seed: number; readonly cases: number };

export interface PlanSize {
  /** Sampled tokens in all, over small models and the real one. */
  readonly tokens: number;
  /** Of them, those of the real model. */
  readonly realTokens: number;
  /** Random cases of single operations. */
  readonly cases: number;
}

const TOKENS_PER_REQUEST = 50;
const TOKENS_PER_REAL_REQUEST = 16;
const CASES_PER_BLOCK = 250;
const SEEDS_PER_SHAPE = 2;

/** Exactly `tokens` and `cases`, the same items for the same size. Starts with the kernels: when they differ, the rest does too. */
export function makePlan(size: PlanSize): Item[] {
  return [
    ...cut(size.cases, CASES_PER_BLOCK).map((cases, i): Item => {
      const operation = operations[i % operations.length]!;
      return { kind: 'kernels', id: `kernels/${operation}/${i + 1}`, operation, seed: i + 1, cases };
    }),
    ...cut(size.tokens - size.realTokens, TOKENS_PER_REQUEST).map((tokens, i) => generation(tinyModel(i), i + 1, tokens)),
    ...cut(size.realTokens, TOKENS_PER_REAL_REQUEST).map((tokens, i) => generation('real', i + 1, tokens)),
  ];
}

const generation = (model: ModelName, seed: number, tokens: number): Item => ({
  kind: 'generation',
  id: `generation/${model}/${seed}`,
  model,
  seed,
  tokens,
});

function tinyModel(index: number): ModelName {
  const shapes = Object.keys(tinyShapes) as (keyof typeof tinyShapes)[];
  const shape = shapes[index % shapes.length]!;
  return `${shape}-${(Math.floor(index / shapes.length) % SEEDS_PER_SHAPE) + 1}`;
}

function cut(total: number, piece: number): number[] {
  return Array.from({ length: Math.ceil(total / piece) }, (_, i) => Math.min(piece, total - i * piece));
}
