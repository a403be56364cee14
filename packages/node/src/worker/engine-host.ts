import type { Manifest, ModelId, SamplerSettings } from '@commonweight/protocol';

export interface EngineJob {
  readonly promptIds: readonly number[];
  readonly sampler: SamplerSettings;
  /** 32 bytes: key of the sampling randomness. */
  readonly prfKey: Uint8Array;
  readonly stopIds: readonly number[];
  readonly maxTokens: number;
}

export interface EngineEvents {
  /** Prompt positions that are run so far. */
  readonly onPrefill: (done: number, total: number) => void;
  /** Tokens in order, `index` from 0. */
  readonly onToken: (index: number, id: number) => void;
}

export interface EngineResult {
  readonly completionIds: number[];
  /** `stopped`: the signal was aborted. */
  readonly finish: 'stop_id' | 'length' | 'stopped';
  /** Digests of the commit points, 32 bytes each in order (position, commit point), of all positions that were run; after an abort at least of those of the tokens delivered. */
  readonly digests: Uint8Array;
}

/** A model that is ready to run, one job at a time. */
export interface EngineHost {
  readonly manifest: Manifest;
  readonly modelId: ModelId;
  /** Rejects with a retryable CommonweightError when the engine dies. Aborting the signal ends the job between two chunks or tokens; it then resolves with `stopped`. */
  readonly run: (job: EngineJob, events: EngineEvents, signal: AbortSignal) => Promise<EngineResult>;
  readonly close: () => Promise<void>;
}

/** Opens the model package in a folder. */
export type OpenEngine = (packageDir: string) => Promise<EngineHost>;
