import type { MetadataEntry } from '@commonweight/models/testing';
import type { Shape } from './shapes.ts';

/** A byte-level BPE vocabulary as GGUF stores it. */
export interface GgufVocabulary {
  readonly pre: string;
  readonly tokens: readonly string[];
  readonly types: readonly number[];
  readonly merges: readonly string[];
  readonly eosId: number;
  readonly template: string;
}

/** What llama.cpp and our importer need to know of a Q8_0 file. */
export function llamaMetadata(name: string, shape: Shape, normEpsilon: number, vocabulary: GgufVocabulary): MetadataEntry[] {
  return [
    { key: 'general.architecture', type: 'string', value: 'llama' },
    { key: 'general.name', type: 'string', value: name },
    { key: 'general.file_type', type: 'u32', value: 7 },
    { key: 'llama.block_count', type: 'u32', value: shape.layers },
    { key: 'llama.context_length', type: 'u32', value: shape.context },
    { key: 'llama.embedding_length', type: 'u32', value: shape.width },
    { key: 'llama.feed_forward_length', type: 'u32', value: shape.ffnWidth },
    { key: 'llama.attention.head_count', type: 'u32', value: shape.heads },
    { key: 'llama.attention.head_count_kv', type: 'u32', value: shape.kvHeads },
    { key: 'llama.rope.dimension_count', type: 'u32', value: shape.width / shape.heads },
    { key: 'llama.rope.freq_base', type: 'f32', value: shape.ropeBase },
    { key: 'llama.attention.layer_norm_rms_epsilon', type: 'f32', value: normEpsilon },
    { key: 'tokenizer.ggml.model', type: 'string', value: 'gpt2' },
    { key: 'tokenizer.ggml.pre', type: 'string', value: vocabulary.pre },
    { key: 'tokenizer.ggml.tokens', type: 'strings', value: vocabulary.tokens },
    { key: 'tokenizer.ggml.token_type', type: 'i32s', value: vocabulary.types },
    { key: 'tokenizer.ggml.merges', type: 'strings', value: vocabulary.merges },
    { key: 'tokenizer.ggml.eos_token_id', type: 'u32', value: vocabulary.eosId },
    { key: 'tokenizer.ggml.add_bos_token', type: 'bool', value: false },
    { key: 'tokenizer.chat_template', type: 'string', value: vocabulary.template },
  ];
}
