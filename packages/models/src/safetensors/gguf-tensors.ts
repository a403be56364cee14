import type { Graph } from '@commonweight/protocol';
import { isRotated, withNeighbours } from '../import/neighbour-rows.ts';
import { storedNames } from '../import/plan.ts';
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
  'self_attn.q_norm': 'attn_q_norm',
  'self_attn.k_norm': 'attn_k_norm',
  post_attention_layernorm: 'ffn_norm',
  'mlp.gate_proj': 'ffn_gate',
  'mlp.up_proj': 'ffn_up',
  'mlp.down_proj': 'ffn_down',
};

function ggufName(name: string): string | undefined {
  if (Object.hasOwn(topNames, name)) return topNames[name];
  const [, layer, part, kind] = /^model\.layers\.(0|[1-9]\d{0,3})\.(.+)\.(weight|bias)$/.exec(name) ?? [];
  return part !== undefined && Object.hasOwn(layerNames, part) ? `blk.${layer}.${layerNames[part]!}.${kind}` : undefined;
}

/** Old checkpoints of Llama 2 hold a copy of the frequencies that config.json gives. */
const isFrequencies = (name: string): boolean => name.endsWith('.self_attn.rotary_emb.inv_freq');

/** A model's tensors named and ordered as the engine has them. A name that the graph does not have stays, for the plan to refuse. */
export function ggufTensors(tensors: ReadonlyMap<string, ShardTensor>, graph: Graph): Map<string, StoredTensor> {
  const wanted = storedNames(graph);
  const stored = new Map<string, StoredTensor>();
  for (const { shape, ...tensor } of tensors.values()) {
    if (isFrequencies(tensor.name)) continue;
    const known = ggufName(tensor.name);
    const name = known !== undefined && wanted.has(known) ? known : tensor.name;
    const plain = { ...tensor, name, shape: shape.toReversed() };
    stored.set(name, isRotated(name) ? withNeighbours(plain, graph.headDimension) : plain);
  }
  return stored;
}
