import { Xorshift } from '@commonweight/engine/testing/operations';
import type { ArchitectureCase } from './architecture-cases.ts';

/** A float32 tensor as transformers names and orders it. */
export interface FloatTensor {
  readonly name: string;
  /** Slowest first. */
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** FNV-1a: every tensor has numbers of its own, so that two cases that share a tensor share its weights. */
function seedOf(text: string): number {
  let hash = 2_166_136_261;
  for (const character of text) hash = Math.imul(hash ^ character.charCodeAt(0), 16_777_619) >>> 0;
  return hash || 1;
}

/**
 * Random weights from the case's seed: the same float32 on every machine, for only IEEE operations take part. Sizes are chosen so that every
 * part of the model matters: scores spread over several units, biases are as large as what they are added to, logits lie some units apart.
 */
export function architectureTensors(model: ArchitectureCase, vocabulary: number): FloatTensor[] {
  const { layers, width, heads, kvHeads, headDimension, ffnWidth, modelType } = model;
  const tensors: FloatTensor[] = [];
  const add = (name: string, shape: readonly number[], centre: number, spread: number): void => {
    const random = new Xorshift(seedOf(`${model.seed} ${name}`));
    const values = Float32Array.from(
      { length: shape.reduce((a, b) => a * b) },
      () => centre + (spread * random.integer(-65_536, 65_536)) / 65_536,
    );
    tensors.push({ name, shape, values });
  };
  /** Rows of inputs of size 1 give outputs of size `gain`. */
  const matrix = (name: string, rows: number, columns: number, gain = 1): void =>
    add(`${name}.weight`, [rows, columns], 0, gain * Math.sqrt(3 / columns));

  const [q, kv] = [heads * headDimension, kvHeads * headDimension];
  matrix('model.embed_tokens', vocabulary, width, 2);
  for (let layer = 0; layer < layers; layer++) {
    const at = `model.layers.${layer}.`;
    add(`${at}input_layernorm.weight`, [width], 1, 0.25);
    matrix(`${at}self_attn.q_proj`, q, width, 1.5);
    matrix(`${at}self_attn.k_proj`, kv, width, 1.5);
    matrix(`${at}self_attn.v_proj`, kv, width);
    if (modelType === 'qwen2')
      for (const [name, rows] of [
        ['q', q],
        ['k', kv],
        ['v', kv],
      ] as const)
        add(`${at}self_attn.${name}_proj.bias`, [rows], 0, 1.5);
    if (modelType === 'qwen3') for (const name of ['q', 'k']) add(`${at}self_attn.${name}_norm.weight`, [headDimension], 1.25, 0.5);
    matrix(`${at}self_attn.o_proj`, width, q, 0.5);
    add(`${at}post_attention_layernorm.weight`, [width], 1, 0.25);
    matrix(`${at}mlp.gate_proj`, ffnWidth, width, 1.5);
    matrix(`${at}mlp.up_proj`, ffnWidth, width);
    matrix(`${at}mlp.down_proj`, width, ffnWidth, 0.5);
  }
  add('model.norm.weight', [width], 1, 0.25);
  if (!model.tied) matrix('lm_head', vocabulary, width, 2);
  return tensors;
}
