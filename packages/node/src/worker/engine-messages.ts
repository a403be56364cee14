import type { PrefixCacheStats } from '@commonweight/engine';
import type { ErrorAction, Manifest, ModelId, TokenLogprobs } from '@commonweight/protocol';
import type { ErrorOrigin } from './describe-error.ts';
import type { EngineJob, EngineResult, EngineSettings } from './engine-host.ts';

/** What an engine thread is started with. */
export interface EngineThreadData {
  readonly packageDir: string;
  readonly settings: EngineSettings;
}

/** To the thread, which reads them between two steps. `job` counts from 1. */
export type EngineCommand =
  | { readonly type: 'run'; readonly job: number; readonly input: EngineJob }
  | { readonly type: 'stop'; readonly job: number };

export interface EngineFailure {
  readonly code: string;
  readonly message: string;
  readonly action: ErrorAction;
}

/** What computes, and why it is not the native engine when `auto` found none. */
export interface EngineBackend {
  readonly name: string;
  readonly reason?: string;
}

/** From the thread. */
export type EngineMessage =
  | {
      readonly type: 'ready';
      readonly manifest: Manifest;
      readonly modelId: ModelId;
      readonly backend: EngineBackend;
      readonly prefixCache: PrefixCacheStats;
    }
  | ({ readonly type: 'refused' } & EngineFailure)
  | JobMessage;

export type JobMessage =
  | { readonly type: 'waiting'; readonly job: number; readonly ahead: number }
  | { readonly type: 'prefill'; readonly job: number; readonly done: number; readonly total: number; readonly cached: number }
  | { readonly type: 'token'; readonly job: number; readonly index: number; readonly id: number; readonly logprobs?: TokenLogprobs }
  | { readonly type: 'done'; readonly job: number; readonly result: EngineResult; readonly prefixCache: PrefixCacheStats }
  /** `origin`: where in the program it went wrong, for the log of the process. */
  | ({ readonly type: 'failed'; readonly job: number; readonly origin?: ErrorOrigin } & EngineFailure);
