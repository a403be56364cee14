import { type RopeParameters, type RopeScaling, usualAttentionFactor } from '../import/rope-parameters.ts';
import { llama3Factors } from '../import/rope-frequencies.ts';
import type { JsonFields } from './fields.ts';

const LARGEST_FACTOR = 2 ** 20;

/** RoPE of a config.json: `rope_theta` and `rope_scaling`, or both in `rope_parameters` (transformers, modeling_rope_utils.py). */
export function ropeFromConfig(config: JsonFields, headDimension: number, context: number): RopeParameters {
  const inner = config.object('rope_parameters');
  for (const fields of inner ? [config, inner] : [config]) {
    fields.only('partial_rotary_factor', 1);
    fields.only('rope_interleaved', false);
  }
  const baseFields = inner?.raw('rope_theta') === undefined ? config : inner;
  const base = baseFields.integer('rope_theta', 2, 2 ** 32, 10_000);
  if (Math.fround(base) !== base) baseFields.refuse('rope_theta', 'an integer that float32 holds', base);
  const scaling = config.object('rope_scaling') ?? inner;
  return { base, scaling: scaling ? scalingOf(scaling, base, headDimension, context) : { type: 'none' } };
}

function scalingOf(fields: JsonFields, base: number, headDimension: number, context: number): RopeScaling {
  const type = fields.string(fields.raw('rope_type') === undefined ? 'type' : 'rope_type', 'default');
  if (type === 'default') return { type: 'none' };
  if (type !== 'linear' && type !== 'llama3' && type !== 'yarn')
    return fields.refuse('rope_type', 'default, linear, llama3 or yarn; no other scaling is converted yet', type);
  const factor = Math.fround(fields.number('factor', 1, LARGEST_FACTOR));
  const original = (): number => fields.integer('original_max_position_embeddings', 1, 2 ** 31, context);
  if (type === 'linear') return factor === 1 ? { type: 'none' } : { type, factor };
  if (type === 'llama3') {
    const lowFactor = fields.number('low_freq_factor', 0.01, 1024, 1);
    const highFactor = fields.number('high_freq_factor', 0.01, 1024, 4);
    if (highFactor <= lowFactor) fields.refuse('high_freq_factor', `more than low_freq_factor ${lowFactor}`, highFactor);
    const factors = llama3Factors(base, headDimension, { factor, lowFactor, highFactor, originalContext: original() });
    return { type: 'factors', factors };
  }
  for (const key of ['mscale', 'mscale_all_dim']) fields.only(key);
  fields.only('truncate', true);
  return {
    type,
    factor,
    betaFast: Math.fround(fields.number('beta_fast', 0.01, 1024, 32)),
    betaSlow: Math.fround(fields.number('beta_slow', 0.01, 1024, 1)),
    originalContext: original(),
    attentionFactor:
      fields.raw('attention_factor') === undefined ? usualAttentionFactor(factor) : fields.number('attention_factor', 0.01, 100),
  };
}
