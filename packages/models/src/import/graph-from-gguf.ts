import { CommonweightError, limits as protocolLimits } from '@commonweight/protocol';
import type { ByteSource } from '../gguf/byte-source.ts';
import type { Gguf } from '../gguf/parse-gguf.ts';
import { type Architecture, ggufArchitectures } from './architectures.ts';
import { buildGraph, contextOf, type ModelGraph } from './build-graph.ts';
import { Metadata } from './metadata.ts';
import { ropeFromGguf } from './rope-from-gguf.ts';

/** Keys below the architecture's name that change results, with the values that do not. */
const neutral: readonly (readonly [key: string, ...values: (number | boolean)[]])[] = [
  ['expert_count', 0],
  ['attention.causal', true],
  ['attention.scale', 0],
  ['attention.clamp_kqv', 0],
  ['attention.max_alibi_bias', 0],
  ['attention.logit_softcapping'],
  ['attn_logit_softcapping'],
  ['final_logit_softcapping'],
  ['logit_scale', 0, 1],
  ['embedding_scale', 0, 1],
  ['residual_scale', 0, 1],
];

export function architectureOf(metadata: Metadata): Architecture {
  const name = metadata.string('general.architecture');
  const architecture = ggufArchitectures.get(name);
  if (architecture) return architecture;
  const known = [...ggufArchitectures.keys()].join(', ');
  throw new CommonweightError(
    `general.architecture: expected one of ${known}, got ${JSON.stringify(name.slice(0, 40))}; no other architecture is converted yet`,
    { code: 'model_unsupported', field: 'general.architecture' },
  );
}

/**
 * Shape and constants of a GGUF file. What would change results and is not implemented is refused by name.
 * @param source - the file's bytes, for the tensor `rope_freqs`
 * @param wanted - positions that the package is made for, where they are fewer than the file's
 */
export function graphFromGguf(gguf: Gguf, source: ByteSource, wanted?: number): ModelGraph {
  const metadata = new Metadata(gguf.metadata);
  const architecture = architectureOf(metadata);
  const name = metadata.string('general.architecture');
  const at = (key: string): string => `${name}.${key}`;
  for (const [key, ...values] of neutral) {
    const value = gguf.metadata.get(at(key));
    if (value !== undefined && !(values as unknown[]).includes(value)) metadata.refuse(at(key), ['nothing', ...values].join(' or '), value);
  }

  const width = metadata.integer(at('embedding_length'), 1, protocolLimits.matrixColumns);
  const heads = metadata.integer(at('attention.head_count'), 1, protocolLimits.heads);
  if (!metadata.has(at('attention.key_length')) && width % heads !== 0)
    metadata.refuse(at('attention.head_count'), `a divisor of the width ${width}`, heads);
  const headDimension = metadata.integer(at('attention.key_length'), 2, protocolLimits.headDimension, width / heads);
  for (const key of ['attention.value_length', 'rope.dimension_count']) {
    const value = metadata.integer(at(key), 1, protocolLimits.headDimension, headDimension);
    if (value !== headDimension) metadata.refuse(at(key), `the head dimension ${headDimension}`, value);
  }

  const embedding = gguf.tensors.get('token_embd.weight');
  if (embedding?.shape.length !== 2) metadata.refuse('token_embd.weight', 'a matrix', embedding?.shape.join(' x ') ?? 'nothing');
  const vocabulary = embedding!.shape[1]!;
  if (vocabulary > protocolLimits.matrixRows) metadata.refuse('token_embd.weight', `at most ${protocolLimits.matrixRows} rows`, vocabulary);

  const context = metadata.integer(at('context_length'), 2, 2 ** 31);
  const window = at('attention.sliding_window');
  const windowSize = metadata.integer(window, 0, 2 ** 31, 0) || undefined;
  return buildGraph({
    architecture,
    layers: metadata.integer(at('block_count'), 1, protocolLimits.layers),
    width,
    heads,
    kvHeads: metadata.integer(at('attention.head_count_kv'), 1, heads, heads),
    headDimension,
    ffnWidth: metadata.integer(at('feed_forward_length'), 1, protocolLimits.matrixColumns),
    vocabulary,
    context: contextOf(context, windowSize, wanted, window),
    head: gguf.tensors.has('output.weight') ? 'untied' : 'tied',
    epsilon: metadata.number(at('attention.layer_norm_rms_epsilon'), 0, 1),
    rope: ropeFromGguf(gguf, source, metadata, name, headDimension, context),
  });
}
