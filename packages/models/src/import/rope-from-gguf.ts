import type { ByteSource } from '../gguf/byte-source.ts';
import type { Gguf } from '../gguf/parse-gguf.ts';
import { readVector } from './matrix.ts';
import type { Metadata } from './metadata.ts';
import { storedMatrix } from './real-matrix.ts';
import { type RopeParameters, type RopeScaling, usualAttentionFactor } from './rope-parameters.ts';

/** The tensor of per-pair divisors. */
export const ROPE_FACTORS = 'rope_freqs.weight';
const LARGEST_FACTOR = 2 ** 20;

/** RoPE of a GGUF file: metadata below `NAME.rope`, and the tensor `rope_freqs` (llama.cpp, src/llama-model.cpp). */
export function ropeFromGguf(
  gguf: Gguf,
  source: ByteSource,
  metadata: Metadata,
  name: string,
  headDimension: number,
  context: number,
): RopeParameters {
  const base = metadata.integer(`${name}.rope.freq_base`, 2, 2 ** 32, 10_000);
  const scaling = scalingOf(metadata, `${name}.rope.scaling`, `${name}.rope.scale_linear`, context);
  const factors = gguf.tensors.get(ROPE_FACTORS);
  if (!factors) return { base, scaling };
  if (scaling.type !== 'none') metadata.refuse(`${name}.rope.scaling.type`, `none beside the tensor ${ROPE_FACTORS}`, scaling.type);
  if (String(factors.shape) !== String(headDimension / 2))
    metadata.refuse(ROPE_FACTORS, `${headDimension / 2} numbers`, factors.shape.join(' x '));
  const values = [...readVector(storedMatrix({ ...factors, source }))];
  for (const [i, value] of values.entries()) {
    if (!(value >= 1 && value <= LARGEST_FACTOR)) metadata.refuse(`${ROPE_FACTORS}[${i}]`, `a number from 1 to ${LARGEST_FACTOR}`, value);
  }
  return { base, scaling: { type: 'factors', factors: values } };
}

function scalingOf(metadata: Metadata, at: string, oldFactor: string, context: number): RopeScaling {
  const factor = metadata.number(metadata.has(`${at}.factor`) ? `${at}.factor` : oldFactor, 0, LARGEST_FACTOR, 0) || 1;
  const type = metadata.string(`${at}.type`, 'linear');
  for (const key of ['yarn_ext_factor', 'yarn_attn_factor', 'yarn_log_multiplier'])
    if (metadata.has(`${at}.${key}`)) metadata.refuse(`${at}.${key}`, 'nothing', 'a value');
  if (type === 'none') return { type };
  if (factor < 1) metadata.refuse(`${at}.factor`, `a number from 1 to ${LARGEST_FACTOR}`, factor);
  if (type === 'linear') return factor === 1 ? { type: 'none' } : { type, factor };
  if (type !== 'yarn') return metadata.refuse(`${at}.type`, 'none, linear or yarn', type);
  return {
    type,
    factor,
    betaFast: metadata.number(`${at}.yarn_beta_fast`, 0.01, 1024, 32),
    betaSlow: metadata.number(`${at}.yarn_beta_slow`, 0.01, 1024, 1),
    originalContext: metadata.integer(`${at}.original_context_length`, 1, 2 ** 31, context),
    attentionFactor: usualAttentionFactor(factor) * metadata.number(`${at}.attn_factor`, 0.01, 100, 1),
  };
}
