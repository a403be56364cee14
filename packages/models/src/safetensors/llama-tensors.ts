import type { Graph } from '@commonweight/protocol';
import { rowBytes } from '../gguf/dequantise.ts';
import type { ByteSource } from '../gguf/byte-source.ts';
import type { StoredTensor } from '../import/stored-tensor.ts';
import type { ShardTensor } from './shards.ts';

/** GGUF's names (llama.cpp, gguf-py tensor_mapping.py) by those of transformers. */
const topNames: Readonly<Record<string, string>> = {
  'model.embed_tokens.weight': 'token_embd.weight',
  'model.norm.weight': 'output_norm.weight',
  'lm_head.weight': 'output.weight',
};
const layerNames: Readonly<Record<string, string>> = {
  input_layernorm: 'attn_norm',
  'self_attn.q_proj': 'attn_q',
  'self_attn.k_proj': 'attn_k',
  'self_attn.v_proj': 'attn_v',
  'self_attn.o_proj': 'attn_output',
  post_attention_layernorm: 'ffn_norm',
  'mlp.gate_proj': 'ffn_gate',
  'mlp.up_proj': 'ffn_up',
  'mlp.down_proj': 'ffn_down',
};

function ggufName(name: string): string | undefined {
  if (Object.hasOwn(topNames, name)) return topNames[name];
  const [, layer, part] = /^model\.layers\.(0|[1-9]\d{0,3})\.(.+)\.weight$/.exec(name) ?? [];
  return part !== undefined && Object.hasOwn(layerNames, part) ? `blk.${layer}.${layerNames[part]!}.weight` : undefined;
}

/**
 * A Llama's tensors as GGUF has them. transformers rotates dimension i of a head with i + half; the engine rotates neighbours, so the rows of
 * Q and K move: row 2i + p of a head is row i + p * half of the file's. A name that is not known stays, for the plan to refuse.
 */
export function llamaTensors(tensors: ReadonlyMap<string, ShardTensor>, graph: Graph): Map<string, StoredTensor> {
  const stored = new Map<string, StoredTensor>();
  for (const { shape, ...tensor } of tensors.values()) {
    const name = ggufName(tensor.name) ?? tensor.name;
    const plain = { ...tensor, name, shape: shape.toReversed() };
    stored.set(name, /\.attn_[qk]\.weight$/.test(name) ? withNeighbours(plain, graph.headDimension) : plain);
  }
  return stored;
}

function withNeighbours(tensor: StoredTensor, headDimension: number): StoredTensor {
  const [columns, rows] = tensor.shape;
  // Another shape is the plan's to refuse.
  if (tensor.shape.length !== 2 || rows! % headDimension !== 0) return tensor;
  return { ...tensor, offset: 0, source: neighbourRows(tensor, rowBytes(tensor.type, columns!), headDimension) };
}

/** The tensor's bytes with rows in the order of {@link neighbourRow}; reads must be of whole rows. */
function neighbourRows({ source, offset, bytes }: StoredTensor, stride: number, headDimension: number): ByteSource {
  return {
    size: bytes,
    read(at, target) {
      for (let done = 0; done < target.length; done += stride) {
        const row = neighbourRow((at + done) / stride, headDimension);
        source.read(offset + row * stride, target.subarray(done, done + stride));
      }
    },
  };
}

/** The row of a rotate-half matrix that becomes row `row` of an interleaved one. */
export function neighbourRow(row: number, headDimension: number): number {
  const inHead = row % headDimension;
  return row - inHead + (inHead >> 1) + (inHead & 1) * (headDimension / 2);
}
