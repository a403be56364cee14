import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { memorySource } from '../gguf/byte-source.ts';
import { type Gguf, parseGguf } from '../gguf/parse-gguf.ts';
import { byteCharacters } from '../tokenizer/byte-alphabet.ts';
import { controls, merges, template, tinyModel, type TinyModelOptions } from './tiny-model.ts';
import { type SafetensorsEntry, writeSafetensors } from './write-safetensors.ts';

export interface TinyCheckpoint {
  /** The same weights as a GGUF file. */
  readonly gguf: Uint8Array;
  readonly tensors: readonly SafetensorsEntry[];
  /** config.json and the like, as values. */
  readonly json: Readonly<Record<'config.json' | 'tokenizer.json' | 'tokenizer_config.json', Record<string, unknown>>>;
}

const HEADS = { heads: 2, kvHeads: 1 };

/** A tiny random Llama as transformers would save it, and the same one as GGUF. */
export function tinyCheckpoint(options: TinyModelOptions = {}): TinyCheckpoint {
  const shape = { layers: 7, width: 64, ffnWidth: 96, context: 256, ...HEADS, ...options };
  const gguf = tinyModel({ ...options, floats: true });
  const parsed = parseGguf(memorySource(gguf));
  const tokens = [...controls, ...byteCharacters, ...merges.map((merge) => merge.replace(' ', ''))];
  return {
    gguf,
    tensors: [...parsed.tensors.keys()].map((name) => entryOf(gguf, parsed, name, shape)),
    json: {
      'config.json': {
        architectures: ['LlamaForCausalLM'],
        model_type: 'llama',
        hidden_act: 'silu',
        hidden_size: shape.width,
        intermediate_size: shape.ffnWidth,
        num_hidden_layers: shape.layers,
        num_attention_heads: shape.heads,
        num_key_value_heads: shape.kvHeads,
        max_position_embeddings: shape.context,
        rms_norm_eps: 1e-5,
        rope_theta: 10_000,
        rope_scaling: null,
        attention_bias: false,
        tie_word_embeddings: true,
        vocab_size: tokens.length,
        eos_token_id: 2,
        torch_dtype: 'bfloat16',
      },
      'tokenizer.json': tokenizerJson(tokens),
      'tokenizer_config.json': { add_prefix_space: false, eos_token: '<|im_end|>', chat_template: template },
    },
  };
}

/** Undoes what converters to GGUF do: names, order of dimensions, and rows of Q and K (reshape to heads x half x 2, swap the last two). */
function entryOf(file: Uint8Array, gguf: Gguf, name: string, { width, heads }: { width: number; heads: number }): SafetensorsEntry {
  const { type, shape, offset, bytes } = gguf.tensors.get(name)!;
  let data = file.slice(offset, offset + bytes);
  if (/attn_[qk]\.weight$/.test(name)) {
    const [columns, rows] = shape as [number, number];
    const half = width / heads / 2;
    const stride = bytes / rows;
    const moved = new Uint8Array(bytes);
    for (let head = 0; head < rows / (2 * half); head++) {
      for (let i = 0; i < half; i++) {
        for (let p = 0; p < 2; p++) {
          const from = (head * half + i) * 2 + p;
          moved.set(data.subarray(from * stride, (from + 1) * stride), ((head * 2 + p) * half + i) * stride);
        }
      }
    }
    if (stride * rows !== bytes || columns !== width) throw new Error('rows of whole bytes');
    data = moved;
  }
  return { name: transformersName(name), type, shape: [...shape].reverse(), data };
}

const partNames: readonly (readonly [string, string])[] = [
  ['token_embd', 'model.embed_tokens'],
  ['output_norm', 'model.norm'],
  ['attn_norm', 'input_layernorm'],
  ['ffn_norm', 'post_attention_layernorm'],
  ['attn_output', 'self_attn.o_proj'],
  ['attn_q', 'self_attn.q_proj'],
  ['attn_k', 'self_attn.k_proj'],
  ['attn_v', 'self_attn.v_proj'],
  ['ffn_gate', 'mlp.gate_proj'],
  ['ffn_up', 'mlp.up_proj'],
  ['ffn_down', 'mlp.down_proj'],
  ['blk.', 'model.layers.'],
];

const transformersName = (name: string): string => partNames.reduce((text, [from, to]) => text.replace(from, to), name);

/** As SmolLM2's: one control token stands in `added_tokens` alone. */
function tokenizerJson(tokens: readonly string[]): Record<string, unknown> {
  const only = controls.length - 1;
  return {
    version: '1.0',
    added_tokens: controls.map((content, id) => ({
      id,
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    })),
    normalizer: null,
    pre_tokenizer: {
      type: 'Sequence',
      pretokenizers: [
        { type: 'Digits', individual_digits: true },
        { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
      ],
    },
    post_processor: null,
    decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: {
      type: 'BPE',
      vocab: Object.fromEntries(tokens.flatMap((token, id) => (id === only ? [] : [[token, id]]))),
      merges,
    },
  };
}

/** Writes it into `folder`, the weights in one file or spread over `shards` files with an index. */
export async function writeCheckpoint(folder: string, { tensors, json }: Omit<TinyCheckpoint, 'gguf'>, shards = 1): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const [name, value] of Object.entries(json)) await writeFile(join(folder, name), JSON.stringify(value, null, 2));
  if (shards === 1) return await writeFile(join(folder, 'model.safetensors'), writeSafetensors(tensors));
  const map: Record<string, string> = {};
  for (let shard = 0; shard < shards; shard++) {
    const file = `model-${String(shard + 1).padStart(5, '0')}-of-${String(shards).padStart(5, '0')}.safetensors`;
    const part = tensors.filter((_, i) => i % shards === shard);
    for (const { name } of part) map[name] = file;
    await writeFile(join(folder, file), writeSafetensors(part));
  }
  await writeFile(join(folder, 'model.safetensors.index.json'), JSON.stringify({ metadata: { total_size: 0 }, weight_map: map }));
}
