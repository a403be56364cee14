import { tinyCheckpoint, type TinyCheckpoint } from '@commonweight/models/testing';
import type { ArchitectureCase } from './architecture-cases.ts';
import { architectureVocabulary } from './architecture-gguf.ts';
import { architectureTensors } from './architecture-tensors.ts';

const classes = { llama: 'LlamaForCausalLM', mistral: 'MistralForCausalLM', qwen2: 'Qwen2ForCausalLM', qwen3: 'Qwen3ForCausalLM' };

/** A case as transformers would save it. */
export function architectureCheckpoint(model: ArchitectureCase): Omit<TinyCheckpoint, 'gguf'> {
  const { json } = tinyCheckpoint({ layers: 1 });
  const tensors = architectureTensors(model, architectureVocabulary).map(({ name, shape, values }) => {
    const data = new Uint8Array(4 * values.length);
    const view = new DataView(data.buffer);
    for (const [i, value] of values.entries()) view.setFloat32(4 * i, value, true);
    return { name, type: 'F32', shape, data };
  });
  const config = {
    architectures: [classes[model.modelType]],
    model_type: model.modelType,
    hidden_act: 'silu',
    hidden_size: model.width,
    intermediate_size: model.ffnWidth,
    num_hidden_layers: model.layers,
    num_attention_heads: model.heads,
    num_key_value_heads: model.kvHeads,
    head_dim: model.headDimension,
    max_position_embeddings: model.context,
    rms_norm_eps: model.epsilon,
    rope_theta: model.ropeBase,
    rope_scaling: model.scaling ?? null,
    sliding_window: model.window ?? null,
    tie_word_embeddings: model.tied,
    vocab_size: architectureVocabulary,
    eos_token_id: 2,
    torch_dtype: 'float32',
  };
  return { tensors, json: { ...json, 'config.json': config } };
}
