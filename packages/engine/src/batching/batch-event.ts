import type { CommonweightError } from '@commonweight/protocol';
import type { GenerationResult, SampledToken } from '../generation-run.ts';

/** What a step of a batch did. `run` is the key under which the run was added. */
export type BatchEvent<Key> =
  | { readonly type: 'waiting'; readonly run: Key; readonly ahead: number }
  /** `cached` of the `done` positions were not run: they came from the prefix cache. */
  | { readonly type: 'prefill'; readonly run: Key; readonly done: number; readonly total: number; readonly cached: number }
  | ({ readonly type: 'token'; readonly run: Key } & SampledToken)
  | { readonly type: 'done'; readonly run: Key; readonly result: GenerationResult }
  | { readonly type: 'failed'; readonly run: Key; readonly error: CommonweightError };
