import { CommonweightError, type Graph, limits as protocolLimits } from '@commonweight/protocol';
import { exponentOf, pow2, roundHalfUp } from '../float-bits.ts';
import type { Gguf } from '../gguf/parse-gguf.ts';
import { limits } from '../limits.ts';
import { Metadata } from './metadata.ts';

/** Every sixth layer and the last: 30 layers give 5, 11, 17, 23, 29. */
export function commitPointsOf(layers: number): number[] {
  const points: number[] = [];
  for (let layer = 5; layer < layers - 1; layer += 6) points.push(layer);
  return [...points, layers - 1];
}

/** log2(e) / sqrt(headDimension) as a 16-bit mantissa and an exponent; IEEE division and square root are exact by definition. */
export function attentionScaleOf(headDimension: number): Graph['attentionScale'] {
  const value = 1.4426950408889634 / Math.sqrt(headDimension);
  const exponent = exponentOf(value);
  const mantissa = roundHalfUp(value * pow2(16 - exponent));
  return mantissa === 1 << 16 ? { mantissa: 1 << 15, exponent: exponent + 1 } : { mantissa, exponent };
}

export interface LlamaModel {
  readonly graph: Graph;
  readonly ropeBase: number;
}

/** Shape and constants of a `llama` GGUF. What would change results and is not implemented is refused by name. */
export function graphFromGguf(gguf: Gguf): LlamaModel {
  const metadata = new Metadata(gguf.metadata);
  const architecture = metadata.string('general.architecture');
  if (architecture !== 'llama') {
    throw new CommonweightError(
      `general.architecture: expected llama, got ${JSON.stringify(architecture.slice(0, 40))}; no other architecture is converted yet`,
      {
        code: 'model_unsupported',
        field: 'general.architecture',
      },
    );
  }
  const width = metadata.integer('llama.embedding_length', 1, protocolLimits.matrixColumns);
  const heads = metadata.integer('llama.attention.head_count', 1, protocolLimits.heads);
  if (width % heads !== 0) metadata.refuse('llama.attention.head_count', `a divisor of the width ${width}`, heads);
  const headDimension = metadata.integer('llama.attention.key_length', 2, protocolLimits.headDimension, width / heads);
  for (const key of ['llama.attention.value_length', 'llama.rope.dimension_count']) {
    const value = metadata.integer(key, 1, protocolLimits.headDimension, headDimension);
    if (value !== headDimension) metadata.refuse(key, `the head dimension ${headDimension}`, value);
  }
  const scaling = metadata.string('llama.rope.scaling.type', 'none');
  if (scaling !== 'none') metadata.refuse('llama.rope.scaling.type', 'none', scaling);
  const experts = metadata.integer('llama.expert_count', 0, 1 << 20, 0);
  if (experts !== 0) metadata.refuse('llama.expert_count', '0', experts);

  const embedding = gguf.tensors.get('token_embd.weight');
  if (embedding?.shape.length !== 2) metadata.refuse('token_embd.weight', 'a matrix', embedding?.shape.join(' x ') ?? 'nothing');
  const vocabulary = embedding!.shape[1]!;
  if (vocabulary > protocolLimits.matrixRows) metadata.refuse('token_embd.weight', `at most ${protocolLimits.matrixRows} rows`, vocabulary);

  const layers = metadata.integer('llama.block_count', 1, protocolLimits.layers);
  const epsilon = metadata.number('llama.attention.layer_norm_rms_epsilon', 0, 1);
  const context = metadata.integer('llama.context_length', 2, 2 ** 31);
  return {
    ropeBase: metadata.integer('llama.rope.freq_base', 2, 2 ** 32, 10_000),
    graph: {
      layers,
      width,
      heads,
      kvHeads: metadata.integer('llama.attention.head_count_kv', 1, heads, heads),
      headDimension,
      ffnWidth: metadata.integer('llama.feed_forward_length', 1, protocolLimits.matrixColumns),
      vocabulary,
      context: Math.min(context, limits.contextPositions),
      normEpsilon: Math.max(1, roundHalfUp(epsilon * width * pow2(24))),
      attentionScale: attentionScaleOf(headDimension),
      rope: 'interleaved',
      head: gguf.tensors.has('output.weight') ? 'untied' : 'tied',
      commitPoints: commitPointsOf(layers),
    },
  };
}
