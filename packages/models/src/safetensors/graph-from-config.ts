import { limits as protocolLimits } from '@commonweight/protocol';
import { configArchitectures } from '../import/architectures.ts';
import { buildGraph, contextOf, type ModelGraph } from '../import/build-graph.ts';
import type { JsonFields } from './fields.ts';
import { ropeFromConfig } from './rope-from-config.ts';

/**
 * Shape and constants from config.json, equal to those of the same model's GGUF file (which holds the real numbers as float32). What would
 * change results and is not implemented is refused by name.
 * @param wanted - positions that the package is made for, where they are fewer than the model's
 */
export function graphFromConfig(config: JsonFields, wanted?: number): ModelGraph {
  const type = config.raw('model_type');
  const known = typeof type === 'string' ? configArchitectures.get(type) : undefined;
  if (!known)
    return config.refuse('model_type', `${[...configArchitectures.keys()].join(', ')}; no other architecture is converted yet`, type);
  const classes = config.array('architectures');
  if (classes.length !== 1 || classes[0] !== known.className)
    config.refuse('architectures', `${known.className} alone`, classes.length === 1 ? classes[0] : classes);
  config.only('hidden_act', 'silu');
  // Qwen2's class has biases without saying so.
  config.only('attention_bias', known.architecture.qkvBias);
  config.only('mlp_bias', false);
  config.only('quantization_config');

  const width = config.integer('hidden_size', 1, protocolLimits.matrixColumns);
  const heads = config.integer('num_attention_heads', 1, protocolLimits.heads);
  if (config.raw('head_dim') === undefined && width % heads !== 0)
    config.refuse('num_attention_heads', `a divisor of the width ${width}`, heads);
  const headDimension = config.integer('head_dim', 2, protocolLimits.headDimension, width / heads);
  if (headDimension % 2 !== 0) config.refuse('head_dim', 'an even number', headDimension);
  const context = config.integer('max_position_embeddings', 2, 2 ** 31);
  return buildGraph({
    architecture: known.architecture,
    layers: config.integer('num_hidden_layers', 1, protocolLimits.layers),
    width,
    heads,
    kvHeads: config.integer('num_key_value_heads', 1, heads, heads),
    headDimension,
    ffnWidth: config.integer('intermediate_size', 1, protocolLimits.matrixColumns),
    vocabulary: config.integer('vocab_size', 1, protocolLimits.matrixRows),
    context: contextOf(context, windowOf(config), wanted, 'config.json sliding_window'),
    head: config.boolean('tie_word_embeddings', false) ? 'tied' : 'untied',
    epsilon: Math.fround(config.number('rms_norm_eps', 0, 1, 1e-6)),
    rope: ropeFromConfig(config, headDimension, context),
  });
}

/** Positions that attention sees, if fewer than all: Qwen's files state a window that `use_sliding_window` turns off. */
function windowOf(config: JsonFields): number | undefined {
  const isUsed = config.boolean('use_sliding_window', true);
  return isUsed && config.raw('sliding_window') !== undefined ? config.integer('sliding_window', 1, 2 ** 31) : undefined;
}
