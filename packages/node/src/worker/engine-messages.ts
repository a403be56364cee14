import type { ErrorAction, Manifest, ModelId } from '@commonweight/protocol';
import type { EngineJob, EngineResult } from './engine-host.ts';

/** What an engine thread is started with. */
export interface EngineThreadData {
  readonly packageDir: string;
  /** One int32: the number of the job that has to stop. Read between chunks and tokens. */
  readonly stopFlag: SharedArrayBuffer;
}

/** To the thread. `job` counts from 1. */
export interface EngineCommand {
  readonly job: number;
  readonly input: EngineJob;
}

export interface EngineFailure {
  readonly code: string;
  readonly message: string;
  readonly action: ErrorAction;
}

/** From the thread. */
export type EngineMessage =
  | { readonly type: 'ready'; readonly manifest: Manifest; readonly modelId: ModelId }
  | ({ readonly type: 'refused' } & EngineFailure)
  | { readonly type: 'prefill'; readonly job: number; readonly done: number; readonly total: number }
  | { readonly type: 'token'; readonly job: number; readonly index: number; readonly id: number }
  | { readonly type: 'done'; readonly job: number; readonly result: EngineResult }
  | ({ readonly type: 'failed'; readonly job: number } & EngineFailure);
