import { attend } from './attention.ts';
import { embed } from './embedding.ts';
import { type KeyValueHead, storeKeyValue } from './kv-cache.ts';
import type { Layer, Matrix, Model } from './load-model.ts';
import { matmul } from './matmul.ts';
import { qkNorm } from './qk-norm.ts';
import { type Quantised, quantise, quantiseWide } from './quantise.ts';
import { requantise } from './requantise.ts';
import { addSaturating } from './add-saturating.ts';
import { type NormWeights, rmsNormQuantise } from './rms-norm.ts';
import { rope } from './rope.ts';
import { swiglu } from './swiglu.ts';

/** Fraction bits of what a matrix gives: 16 for q, k, v, gate, up and logits, 12 for what is added to the residual. */
const VALUE_BITS = 16;
const RESIDUAL_BITS = 12;

/** The residual stream of one token before the first layer. */
export function embedToken({ embedding }: Model, id: number): Int32Array {
  const row = <T extends Int8Array | Uint8Array>(values: T): T => {
    const length = values.length / embedding.rows;
    return values.subarray(id * length, (id + 1) * length) as T;
  };
  return embed(row(embedding.weights), row(embedding.blockMultipliers), embedding.multipliers[id]!, embedding.exponent);
}

/** Runs one layer at `position` on the residual stream `x`, in place; `cache` has one entry a KV head and is filled at `position`. */
export function runLayer(
  { graph, rope: table }: Model,
  layer: Layer,
  x: Int32Array,
  position: number,
  cache: readonly KeyValueHead[],
): void {
  const { heads, kvHeads, headDimension: size, normEpsilon } = graph;
  const { biases, qkNorms } = layer;
  const slice = (vector: Int32Array, head: number): Int32Array => vector.subarray(head * size, (head + 1) * size);
  const angles = table.subarray(position * size, (position + 1) * size);

  const input = rmsNormQuantise(x, layer.attentionNorm, normEpsilon, layer.q.activationBits);
  const [q, k, v] = [layer.q, layer.k, layer.v].map((matrix) => apply(matrix, input, VALUE_BITS)) as [Int32Array, Int32Array, Int32Array];
  for (const [i, bias] of biases?.entries() ?? []) addSaturating([q, k, v][i]!, bias);
  const rotated = (vector: Int32Array, head: number, norm: NormWeights | undefined): Int32Array =>
    rope(norm ? qkNorm(slice(vector, head), norm, graph.qkNorm!.epsilon) : slice(vector, head), angles);
  for (const [g, head] of cache.entries()) storeKeyValue(head, position, rotated(k, g, qkNorms?.[1]), slice(v, g));

  const attended = new Float64Array(heads * size);
  for (let h = 0; h < heads; h++) {
    const head = cache[Math.floor(h / (heads / kvHeads))]!;
    attended.set(attend(rotated(q, h, qkNorms?.[0]), head, position + 1, graph.attentionScale), h * size);
  }
  addSaturating(x, apply(layer.o, withFractionBits(quantise(attended, layer.o.activationBits), 24), RESIDUAL_BITS));

  const ffnInput = rmsNormQuantise(x, layer.ffnNorm, normEpsilon, layer.gate.activationBits);
  const activated = swiglu(apply(layer.gate, ffnInput, VALUE_BITS), apply(layer.up, ffnInput, VALUE_BITS));
  addSaturating(x, apply(layer.down, withFractionBits(quantiseWide(activated, layer.down.activationBits), 32), RESIDUAL_BITS));
}

/** Logits of a position from its residual stream after the last layer: int32 Q16, one per id. */
export function logitsOf({ graph, outputNorm, head }: Model, x: Int32Array): Int32Array {
  return apply(head, rmsNormQuantise(x, outputNorm, graph.normEpsilon, head.activationBits), VALUE_BITS);
}

function apply(matrix: Matrix, input: Quantised, fractionBits: number): Int32Array {
  const acc = matmul(matrix, input.q);
  return Int32Array.from(acc, (sum, n) => requantise(sum, matrix.multipliers[n]!, matrix.exponent, input.scale, fractionBits));
}

/** Quantised integers whose real value is 2^-bits of what they were quantised as. */
const withFractionBits = ({ q, scale }: Quantised, bits: number): Quantised => ({
  q,
  scale: { mantissa: scale.mantissa, exponent: scale.exponent - bits },
});
