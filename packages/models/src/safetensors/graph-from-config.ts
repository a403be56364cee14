import { limits as protocolLimits } from '@commonweight/protocol';
import { roundHalfUp, pow2 } from '../float-bits.ts';
import { attentionScaleOf, commitPointsOf, type LlamaModel } from '../import/graph-from-gguf.ts';
import { limits } from '../limits.ts';
import type { JsonFields } from './fields.ts';

/**
 * Shape and constants from a `LlamaForCausalLM`'s config.json, equal to those of the same model's GGUF file (which holds the real numbers as
 * float32). What would change results and is not implemented is refused by name.
 */
export function graphFromConfig(config: JsonFields): LlamaModel {
  const architecture = config.array('architectures');
  if (config.raw('model_type') !== 'llama')
    config.refuse('model_type', 'llama; no other architecture is converted yet', config.raw('model_type'));
  if (architecture.length !== 1 || architecture[0] !== 'LlamaForCausalLM') {
    config.refuse(
      'architectures',
      'LlamaForCausalLM alone; no other architecture is converted yet',
      architecture.length === 1 ? architecture[0] : architecture,
    );
  }
  config.only('hidden_act', 'silu');
  config.only('attention_bias', false);
  config.only('mlp_bias', false);
  config.only('rope_interleaved', false);
  config.only('partial_rotary_factor', 1);
  config.only('quantization_config');
  config.only('rope_scaling');
  const rope = config.object('rope_parameters');
  rope?.only('rope_type', 'default');
  rope?.only('partial_rotary_factor', 1);

  const width = config.integer('hidden_size', 1, protocolLimits.matrixColumns);
  const heads = config.integer('num_attention_heads', 1, protocolLimits.heads);
  if (width % heads !== 0) config.refuse('num_attention_heads', `a divisor of the width ${width}`, heads);
  const headDimension = config.integer('head_dim', 2, protocolLimits.headDimension, width / heads);
  if (headDimension % 2 !== 0) config.refuse('head_dim', 'an even number', headDimension);
  const layers = config.integer('num_hidden_layers', 1, protocolLimits.layers);
  const epsilon = Math.fround(config.number('rms_norm_eps', 0, 1, 1e-6));
  const baseFields = rope?.raw('rope_theta') === undefined ? config : rope;
  const base = baseFields.integer('rope_theta', 2, 2 ** 32, 10_000);
  if (Math.fround(base) !== base) baseFields.refuse('rope_theta', 'an integer that float32 holds', base);
  return {
    ropeBase: base,
    graph: {
      layers,
      width,
      heads,
      kvHeads: config.integer('num_key_value_heads', 1, heads, heads),
      headDimension,
      ffnWidth: config.integer('intermediate_size', 1, protocolLimits.matrixColumns),
      vocabulary: config.integer('vocab_size', 1, protocolLimits.matrixRows),
      context: Math.min(config.integer('max_position_embeddings', 2, 2 ** 31), limits.contextPositions),
      normEpsilon: Math.max(1, roundHalfUp(epsilon * width * pow2(24))),
      attentionScale: attentionScaleOf(headDimension),
      rope: 'interleaved',
      head: config.boolean('tie_word_embeddings', false) ? 'tied' : 'untied',
      commitPoints: commitPointsOf(layers),
    },
  };
}
