import { tensorTypes, type TensorType } from '../gguf/tensor-types.ts';
import { byteCharacters } from '../tokenizer/byte-alphabet.ts';
import { type MetadataEntry, type TensorEntry, writeGguf } from './write-gguf.ts';

export interface TinyModelOptions {
  readonly seed?: number;
  readonly layers?: number;
  readonly width?: number;
  readonly heads?: number;
  readonly kvHeads?: number;
  readonly ffnWidth?: number;
  readonly context?: number;
  /** Only F32, F16 and BF16, as safetensors files have. */
  readonly floats?: boolean;
  /** `tokenizer.ggml.pre`. */
  readonly preTokenizer?: string;
  readonly template?: string;
}

export const merges = [
  'h e',
  'l l',
  'he ll',
  'hell o',
  'Ġ w',
  'o r',
  'Ġw or',
  'l d',
  'Ġwor ld',
  'Ġ t',
  'Ġt he',
  'i n',
  'a n',
  'e r',
  'u s',
  'us er',
];
export const controls = ['<|endoftext|>', '<|im_start|>', '<|im_end|>'];
/** As SmolLM2's, shortened. */
export const template =
  "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n'}}{% endfor %}" +
  "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";

/** What takes the place of a storage type in a model of floats. */
const floatTypes = { F32: 'F32', F16: 'F16', BF16: 'BF16', Q8_0: 'BF16', Q4_1: 'F32', Q4_0: 'F16' } as const;

/** xorshift32: the same weights on every machine. */
function generator(seed: number): () => number {
  let state = seed | 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

/** Random blocks of a storage type with values well below 1. */
function randomData(type: TensorType, elements: number, next: () => number): Uint8Array {
  const { block, bytes } = tensorTypes[type];
  const data = Uint8Array.from({ length: (elements / block) * bytes }, () => next() & 255);
  const view = new DataView(data.buffer);
  const half = (at: number, exponent: number): void => view.setUint16(at, (next() & 0x83ff) | ((15 + exponent) << 10), true);
  for (let at = 0; at < data.length; at += bytes) {
    if (type === 'F32') view.setFloat32(at, ((next() & 511) - 256) / 1024, true);
    else if (type === 'F16') half(at, -4);
    else if (type === 'BF16') view.setUint16(at, (next() & 0x807f) | ((127 - 4) << 7), true);
    else half(at, type === 'Q8_0' ? -10 : -6);
    if (type === 'Q4_1') half(at + 2, -4);
  }
  return data;
}

const ones = (length: number, next: () => number): Uint8Array => {
  const view = new DataView(new ArrayBuffer(4 * length));
  for (let i = 0; i < length; i++) view.setFloat32(4 * i, 1 + ((next() & 255) - 128) / 512, true);
  return new Uint8Array(view.buffer);
};

/**
 * A complete llama GGUF of a few hundred KB with random weights in every storage type that the converter reads, a byte-level vocabulary with a
 * few merges, and a chat template. The same options give the same bytes. Dimensions must be multiples of 32.
 */
export function tinyModel(options: TinyModelOptions = {}): Uint8Array {
  const { seed = 1, layers = 7, width = 64, heads = 2, kvHeads = 1, ffnWidth = 96, context = 256, floats = false } = options;
  const next = generator(seed);
  const tokens = [...controls, ...byteCharacters, ...merges.map((merge) => merge.replace(' ', ''))];
  const kvWidth = (width / heads) * kvHeads;
  const matrix = (name: string, type: keyof typeof floatTypes, columns: number, rows: number): TensorEntry => ({
    name: `${name}.weight`,
    type: floats ? floatTypes[type] : type,
    shape: [columns, rows],
    data: randomData(floats ? floatTypes[type] : type, columns * rows, next),
  });
  const norm = (name: string): TensorEntry => ({ name: `${name}.weight`, type: 'F32', shape: [width], data: ones(width, next) });

  const tensors = [matrix('token_embd', 'Q8_0', width, tokens.length), norm('output_norm')];
  for (let layer = 0; layer < layers; layer++) {
    const at = `blk.${layer}.`;
    tensors.push(norm(`${at}attn_norm`), matrix(`${at}attn_q`, 'Q4_1', width, width), matrix(`${at}attn_k`, 'F16', width, kvWidth));
    tensors.push(matrix(`${at}attn_v`, 'BF16', width, kvWidth), matrix(`${at}attn_output`, 'F32', width, width), norm(`${at}ffn_norm`));
    tensors.push(matrix(`${at}ffn_gate`, 'Q4_0', width, ffnWidth), matrix(`${at}ffn_up`, 'Q4_1', width, ffnWidth));
    tensors.push(matrix(`${at}ffn_down`, 'Q8_0', ffnWidth, width));
  }
  return writeGguf(metadataOf({ layers, width, heads, kvHeads, ffnWidth, context }, tokens, options), tensors);
}

type Shape = Required<Pick<TinyModelOptions, 'layers' | 'width' | 'heads' | 'kvHeads' | 'ffnWidth' | 'context'>>;

function metadataOf(shape: Shape, tokens: readonly string[], options: TinyModelOptions): MetadataEntry[] {
  return [
    { key: 'general.architecture', type: 'string', value: 'llama' },
    { key: 'general.name', type: 'string', value: 'Tiny Test' },
    { key: 'general.license', type: 'string', value: 'apache-2.0' },
    { key: 'llama.block_count', type: 'u32', value: shape.layers },
    { key: 'llama.context_length', type: 'u32', value: shape.context },
    { key: 'llama.embedding_length', type: 'u32', value: shape.width },
    { key: 'llama.feed_forward_length', type: 'u32', value: shape.ffnWidth },
    { key: 'llama.attention.head_count', type: 'u32', value: shape.heads },
    { key: 'llama.attention.head_count_kv', type: 'u32', value: shape.kvHeads },
    { key: 'llama.rope.freq_base', type: 'f32', value: 10_000 },
    { key: 'llama.attention.layer_norm_rms_epsilon', type: 'f32', value: 1e-5 },
    { key: 'tokenizer.ggml.model', type: 'string', value: 'gpt2' },
    { key: 'tokenizer.ggml.pre', type: 'string', value: options.preTokenizer ?? 'smollm' },
    { key: 'tokenizer.ggml.tokens', type: 'strings', value: tokens },
    { key: 'tokenizer.ggml.token_type', type: 'i32s', value: tokens.map((_, id) => (id < controls.length ? 3 : 1)) },
    { key: 'tokenizer.ggml.merges', type: 'strings', value: merges },
    { key: 'tokenizer.ggml.bos_token_id', type: 'u32', value: 1 },
    { key: 'tokenizer.ggml.eos_token_id', type: 'u32', value: 2 },
    { key: 'tokenizer.ggml.add_bos_token', type: 'bool', value: false },
    { key: 'tokenizer.chat_template', type: 'string', value: options.template ?? template },
  ];
}
