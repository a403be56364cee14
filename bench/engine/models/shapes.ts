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
export const SHAPE_1B: Shape = {
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

export const modelNames = ['135M', '1.1B', '8B'] as const;
export type ModelName = (typeof modelNames)[number];
