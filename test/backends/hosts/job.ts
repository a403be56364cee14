import type { NativeLevel } from '@commonweight/engine/node';
import type { Item } from '../workload/plan.ts';

/** What a host is told to do; JSON, so that it can cross into another process, machine or browser. */
export interface Job {
  /** `wasm-threads`: as many threads as processors, two at least. */
  readonly engine: 'reference' | 'wasm' | 'wasm-threads' | 'native';
  /** Of the native engine. */
  readonly level?: NativeLevel;
  /** Run in a worker thread of the host. */
  readonly thread: boolean;
  /** Flip a bit now and then: for showing that the comparison notices. */
  readonly broken: boolean;
  /** Folder of the real model's package, when an item asks for it. */
  readonly realModel?: string;
  readonly items: readonly Item[];
}

/** Where a host ran, for the table at the end. */
export interface HostInfo {
  readonly info: string;
}
