/** What an architecture's name says about its graph. Everything after the import reads the graph alone. */
export interface Architecture {
  /** Biases of q, k and v. */
  readonly qkvBias: boolean;
  /** RMSNorm of the heads of q and k. */
  readonly qkNorm: boolean;
  /** How GGUF files of it order the rows of q and k: as RoPE's neighbours, or as halves of a head. Files of transformers always have halves. */
  readonly ggufPairs: 'neighbours' | 'halves';
}

const llama: Architecture = { qkvBias: false, qkNorm: false, ggufPairs: 'neighbours' };
const qwen2: Architecture = { qkvBias: true, qkNorm: false, ggufPairs: 'halves' };
const qwen3: Architecture = { qkvBias: false, qkNorm: true, ggufPairs: 'halves' };

/** By `general.architecture` of a GGUF file: Mistral's files say llama, Qwen2.5's qwen2. */
export const ggufArchitectures: ReadonlyMap<string, Architecture> = new Map(Object.entries({ llama, qwen2, qwen3 }));

/** By `model_type` of config.json, with the one class in `architectures` that goes with it. */
export const configArchitectures: ReadonlyMap<string, { readonly className: string; readonly architecture: Architecture }> = new Map(
  Object.entries({
    llama: { className: 'LlamaForCausalLM', architecture: llama },
    mistral: { className: 'MistralForCausalLM', architecture: llama },
    qwen2: { className: 'Qwen2ForCausalLM', architecture: qwen2 },
    qwen3: { className: 'Qwen3ForCausalLM', architecture: qwen3 },
  }),
);
