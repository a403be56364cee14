import { memorySource, parseGguf } from '@commonweight/models';
import { type MetadataEntry, type TensorEntry, tinyModel, writeGguf } from '@commonweight/models/testing';
import type { ArchitectureCase } from './architecture-cases.ts';
import { architectureTensors, type FloatTensor } from './architecture-tensors.ts';

/** Vocabulary of all cases: byte-level BPE with a few merges. */
const tiny = parseGguf(memorySource(tinyModel({ layers: 1 }))).metadata;
const tokens = tiny.get('tokenizer.ggml.tokens') as readonly string[];
export const architectureVocabulary = tokens.length;

/**
 * A case as llama.cpp's converter would write it, in F32. Independent of our importer: names, permutation and metadata are stated here again.
 * @param permutes - whether a Llama's rows are permuted; false writes a file that is wrong
 */
export function architectureGguf(model: ArchitectureCase, permutes = true): Uint8Array {
  const tensors = architectureTensors(model, architectureVocabulary).map((tensor) => ggufTensor(tensor, model, permutes));
  if (model.scaling?.rope_type === 'llama3') {
    const factors = llama3Factors(model, model.scaling);
    tensors.push({ name: 'rope_freqs.weight', type: 'F32', shape: [factors.length], data: float32Bytes(factors) });
  }
  return writeGguf(metadataOf(model), tensors);
}

const names: readonly (readonly [RegExp, string])[] = [
  [/^model\.embed_tokens/, 'token_embd'],
  [/^model\.norm/, 'output_norm'],
  [/^lm_head/, 'output'],
  [/^model\.layers\.(\d+)\./, 'blk.$1.'],
  [/input_layernorm/, 'attn_norm'],
  [/post_attention_layernorm/, 'ffn_norm'],
  [/self_attn\.([qkv])_proj/, 'attn_$1'],
  [/self_attn\.([qk])_norm/, 'attn_$1_norm'],
  [/self_attn\.o_proj/, 'attn_output'],
  [/mlp\.(gate|up|down)_proj/, 'ffn_$1'],
];

function ggufTensor({ name, shape, values }: FloatTensor, model: ArchitectureCase, permutes: boolean): TensorEntry {
  const moves = permutes && (model.modelType === 'llama' || model.modelType === 'mistral') && /self_attn\.[qk]_proj/.test(name);
  return {
    name: names.reduce((text, [from, to]) => text.replace(from, to), name),
    type: 'F32',
    shape: shape.toReversed(),
    data: float32Bytes(moves ? permuted(values, shape as readonly [number, number], model.headDimension) : values),
  };
}

/** Of a Llama's q and k: reshape rows to (heads, 2, half) and swap the last two. */
function permuted(values: Float32Array, [rows, columns]: readonly [number, number], headDimension: number): Float32Array {
  const out = new Float32Array(values.length);
  const half = headDimension / 2;
  for (let head = 0; head < rows / headDimension; head++) {
    for (let p = 0; p < 2; p++) {
      for (let i = 0; i < half; i++) {
        const from = head * headDimension + p * half + i;
        const to = head * headDimension + i * 2 + p;
        out.set(values.subarray(from * columns, (from + 1) * columns), to * columns);
      }
    }
  }
  return out;
}

/** As transformers computes them (modeling_rope_utils.py, _compute_llama3_parameters). */
function llama3Factors(
  { ropeBase, headDimension }: ArchitectureCase,
  scaling: { factor: number; low_freq_factor: number; high_freq_factor: number; original_max_position_embeddings: number },
): Float32Array {
  const { factor, low_freq_factor: low, high_freq_factor: high, original_max_position_embeddings: original } = scaling;
  return Float32Array.from({ length: headDimension / 2 }, (_, i) => {
    const wavelength = 2 * Math.PI * ropeBase ** ((2 * i) / headDimension);
    if (wavelength < original / high) return 1;
    if (wavelength > original / low) return factor;
    const smooth = (original / wavelength - low) / (high - low);
    return 1 / ((1 - smooth) / factor + smooth);
  });
}

function float32Bytes(values: Float32Array): Uint8Array {
  const bytes = new Uint8Array(4 * values.length);
  const view = new DataView(bytes.buffer);
  for (const [i, value] of values.entries()) view.setFloat32(4 * i, value, true);
  return bytes;
}

function metadataOf(model: ArchitectureCase): MetadataEntry[] {
  const name = model.modelType === 'mistral' ? 'llama' : model.modelType;
  const { scaling } = model;
  const numbers: [string, 'u32' | 'f32', number | undefined][] = [
    ['block_count', 'u32', model.layers],
    ['context_length', 'u32', model.context],
    ['embedding_length', 'u32', model.width],
    ['feed_forward_length', 'u32', model.ffnWidth],
    ['attention.head_count', 'u32', model.heads],
    ['attention.head_count_kv', 'u32', model.kvHeads],
    ['attention.key_length', 'u32', model.headDimension],
    ['attention.value_length', 'u32', model.headDimension],
    ['attention.sliding_window', 'u32', model.window],
    ['rope.dimension_count', 'u32', model.headDimension],
    ['rope.freq_base', 'f32', model.ropeBase],
    ['attention.layer_norm_rms_epsilon', 'f32', model.epsilon],
    ['rope.scaling.factor', 'f32', scaling?.rope_type === 'llama3' ? undefined : scaling?.factor],
    ['rope.scaling.original_context_length', 'u32', scaling?.rope_type === 'yarn' ? scaling.original_max_position_embeddings : undefined],
  ];
  return [
    { key: 'general.architecture', type: 'string', value: name },
    { key: 'general.name', type: 'string', value: 'Tiny Test' },
    { key: 'general.license', type: 'string', value: 'apache-2.0' },
    ...numbers.flatMap(([key, type, value]): MetadataEntry[] => (value === undefined ? [] : [{ key: `${name}.${key}`, type, value }])),
    ...(scaling && scaling.rope_type !== 'llama3'
      ? [{ key: `${name}.rope.scaling.type`, type: 'string' as const, value: scaling.rope_type }]
      : []),
    { key: 'tokenizer.ggml.model', type: 'string', value: 'gpt2' },
    { key: 'tokenizer.ggml.pre', type: 'string', value: 'smollm' },
    { key: 'tokenizer.ggml.tokens', type: 'strings', value: tokens },
    { key: 'tokenizer.ggml.token_type', type: 'i32s', value: tiny.get('tokenizer.ggml.token_type') as readonly number[] },
    { key: 'tokenizer.ggml.merges', type: 'strings', value: tiny.get('tokenizer.ggml.merges') as readonly string[] },
    { key: 'tokenizer.ggml.eos_token_id', type: 'u32', value: 2 },
    { key: 'tokenizer.ggml.add_bos_token', type: 'bool', value: false },
    { key: 'tokenizer.chat_template', type: 'string', value: tiny.get('tokenizer.chat_template') as string },
  ];
}
