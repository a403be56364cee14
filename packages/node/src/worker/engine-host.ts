import type { PrefixCacheStats } from '@commonweight/engine';
import type { BackendChoice } from '@commonweight/engine/node';
import type { Manifest, ModelId, SamplerSettings, TokenLogprobs } from '@commonweight/protocol';

export interface EngineJob {
  readonly promptIds: readonly number[];
  readonly sampler: SamplerSettings;
  /** 32 bytes: key of the sampling randomness. */
  readonly prfKey: Uint8Array;
  readonly stopIds: readonly number[];
  readonly maxTokens: number;
  /** Jobs of one scope may reuse what was run for another of them (the payer's address). */
  readonly scope: string;
  /** 0 to 20: log probabilities come with every token. */
  readonly logprobs?: number | undefined;
}

export interface EngineEvents {
  /** The job waits for memory; so many are ahead of it. */
  readonly onQueued: (ahead: number) => void;
  /** Prompt positions that are run so far; `cached` of them were known from an earlier run. */
  readonly onPrefill: (done: number, total: number, cached: number) => void;
  /** Tokens in order, `index` from 0. */
  readonly onToken: (index: number, id: number, logprobs?: TokenLogprobs) => void;
}

export interface EngineResult {
  readonly completionIds: number[];
  /** `stopped`: the signal was aborted. */
  readonly finish: 'stop_id' | 'length' | 'stopped';
  /** Digests of the commit points, 32 bytes each in order (position, commit point), of all positions that were run; after an abort at least of those of the tokens delivered. */
  readonly digests: Uint8Array;
}

/** What one engine is given. */
export interface EngineSettings {
  readonly backend: BackendChoice;
  /** Undefined: one a processor. */
  readonly threads: number | undefined;
  /** Jobs that run side by side. */
  readonly slots: number;
  /** Most bytes of KV cache of all jobs and the prefix cache together. */
  readonly kvBytes: number;
  /** Most bytes of these for the prefix cache. */
  readonly prefixCacheBytes: number;
}

/** What computes, for those who ask about the node. */
export interface EngineStatus {
  readonly backend: string;
  /** As of the last job that ended. */
  readonly prefixCache: PrefixCacheStats;
}

/** A model that is ready to run. */
export interface EngineHost {
  readonly manifest: Manifest;
  readonly modelId: ModelId;
  readonly status: () => EngineStatus;
  /**
   * Jobs may be started while others run. Rejects with a retryable CommonweightError when the engine dies, with others when this job cannot be run.
   * Aborting the signal ends the job between two steps; it then resolves with `stopped`.
   */
  readonly run: (job: EngineJob, events: EngineEvents, signal: AbortSignal) => Promise<EngineResult>;
  readonly close: () => Promise<void>;
}

/** Opens the model package in a folder. */
export type OpenEngine = (packageDir: string, settings: EngineSettings) => Promise<EngineHost>;
