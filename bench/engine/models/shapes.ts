/** Dimensions of a synthetic model of the Llama family; no model of that size can be had here, and speed does not depend on what weights say. */
export interface Shape {
  readonly layers: number;
  readonly width: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly ffnWidth: number;
  readonly vocabulary: number;
  readonly context: number;
  readonly ropeBase: number;
  readonly tiedHead: boolean;
}

/** TinyLlama 1.1B. */
const SHAPE_1B: Shape = {
  layers: 22,
  width: 2048,
  heads: 32,
  kvHeads: 4,
  ffnWidth: 5632,
  vocabulary: 32_000,
  context: 2048,
  ropeBase: 10_000,
  tiedHead: false,
};

/** Llama 3.1 8B: more weights than 32 bits can address. */
const SHAPE_8B: Shape = {
  layers: 32,
  width: 4096,
  heads: 32,
  kvHeads: 8,
  ffnWidth: 14_336,
  vocabulary: 128_256,
  context: 1024,
  ropeBase: 500_000,
  tiedHead: false,
};

export const shapes = { '1.1B': SHAPE_1B, '8B': SHAPE_8B } as const;

export const modelNames = ['135M', '1.1B', '8B'] as const;
export type ModelName = (typeof modelNames)[number];
