/** A tiny model of one architecture: its config.json as transformers would write it, and what a GGUF file says instead. */
export interface ArchitectureCase {
  readonly seed: number;
  readonly layers: number;
  readonly width: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDimension: number;
  readonly ffnWidth: number;
  readonly context: number;
  readonly tied: boolean;
  readonly ropeBase: number;
  readonly epsilon: number;
  readonly modelType: 'llama' | 'mistral' | 'qwen2' | 'qwen3';
  readonly scaling?:
    | { readonly rope_type: 'linear'; readonly factor: number }
    | {
        readonly rope_type: 'llama3';
        readonly factor: number;
        readonly low_freq_factor: number;
        readonly high_freq_factor: number;
        readonly original_max_position_embeddings: number;
      }
    | { readonly rope_type: 'yarn'; readonly factor: number; readonly original_max_position_embeddings: number };
  readonly window?: number;
}

const small = {
  layers: 3,
  width: 64,
  heads: 4,
  kvHeads: 2,
  headDimension: 16,
  ffnWidth: 96,
  context: 512,
  tied: false,
  ropeBase: 10_000,
  epsilon: 1e-5,
};

export const architectureCases: Readonly<Record<string, ArchitectureCase>> = {
  'llama-2': { ...small, seed: 21, modelType: 'llama', kvHeads: 4 },
  'llama-linear': { ...small, seed: 22, modelType: 'llama', scaling: { rope_type: 'linear', factor: 4 } },
  'llama-3': {
    ...small,
    seed: 23,
    modelType: 'llama',
    headDimension: 32,
    ropeBase: 500_000,
    scaling: { rope_type: 'llama3', factor: 8, low_freq_factor: 1, high_freq_factor: 4, original_max_position_embeddings: 256 },
  },
  smollm2: { ...small, seed: 24, modelType: 'llama', width: 72, heads: 3, kvHeads: 1, headDimension: 24, tied: true, ropeBase: 100_000 },
  mistral: { ...small, seed: 25, modelType: 'mistral', headDimension: 24, window: 512 },
  qwen2: { ...small, seed: 26, modelType: 'qwen2', tied: true, ropeBase: 1_000_000, epsilon: 1e-6 },
  'qwen2.5-yarn': {
    ...small,
    seed: 27,
    modelType: 'qwen2',
    headDimension: 16,
    ropeBase: 10_000,
    epsilon: 1e-6,
    scaling: { rope_type: 'yarn', factor: 8, original_max_position_embeddings: 64 },
  },
  qwen3: { ...small, seed: 28, modelType: 'qwen3', headDimension: 32, tied: true, ropeBase: 1_000_000, epsilon: 1e-6 },
  'qwen3-yarn': {
    ...small,
    seed: 29,
    modelType: 'qwen3',
    headDimension: 24,
    epsilon: 1e-6,
    scaling: { rope_type: 'yarn', factor: 4, original_max_position_embeddings: 128 },
  },
};

/** F of YaRN's paper. */
export const attentionFactor = ({ scaling }: ArchitectureCase): number =>
  scaling?.rope_type === 'yarn' ? 0.1 * Math.log(scaling.factor) + 1 : 1;
