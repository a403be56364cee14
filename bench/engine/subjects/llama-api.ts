/** The part of node-llama-cpp 3.22.1 that is used; it is installed by the bench itself, so nothing of it is known when this is compiled. */
export interface LlamaModule {
  readonly getLlama: (options: { readonly build: 'never'; readonly gpu: false; readonly logLevel: string }) => Promise<Llama>;
}

interface Llama {
  readonly systemInfo: string;
  readonly _bindings: { readonly AddonSampler: new (model: unknown) => AddonSampler };
  readonly loadModel: (options: { readonly modelPath: string }) => Promise<LlamaModel>;
}

interface AddonSampler {
  readonly applyConfig: (config: { readonly temperature: number }) => void;
}

interface LlamaModel {
  readonly _model: unknown;
  readonly fileInfo: { readonly metadata: unknown };
  readonly trainContextSize: number;
  readonly createContext: (options: {
    readonly contextSize: number;
    readonly batchSize: number;
    readonly threads: number;
  }) => Promise<LlamaContext>;
}

export interface LlamaContext {
  readonly flashAttention: boolean | 'auto';
  /** What node-llama-cpp itself calls for every batch: llama.cpp without the queue and the generator in front of it. */
  readonly _ctx: AddonContext;
  readonly getSequence: () => LlamaSequence;
}

export interface AddonContext {
  readonly setThreads: (threads: number) => void;
  readonly getThreads: () => number;
  readonly initBatch: (size: number) => void;
  readonly addToBatch: (sequence: number, first: number, tokens: Uint32Array, logitIndexes: Uint32Array) => Uint32Array;
  readonly decodeBatch: () => Promise<void>;
  readonly sampleToken: (index: number, sampler: AddonSampler) => Promise<number>;
  readonly disposeSequence: (sequence: number) => void;
}

interface LlamaSequence {
  readonly clearHistory: () => Promise<void>;
  readonly evaluate: (
    tokens: readonly number[],
    options: { readonly temperature: number; readonly yieldEogToken: boolean },
  ) => AsyncGenerator<number>;
}
