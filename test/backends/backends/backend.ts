import type { ItemResult } from '../workload/run-item.ts';
import type { HostInfo, Job } from '../hosts/job.ts';

/** One way to run the engine. A new one is one file and one line in registry.ts. */
export interface BackEnd {
  readonly name: string;
  /** What runs in the host, beside the items. */
  readonly engine: Pick<Job, 'engine' | 'level' | 'thread'>;
  /** Started before the others: takes many times as long. */
  readonly slow?: true;
  /** Installs what is missing. Throws {@link Missing} when it cannot be had on this machine. */
  readonly prepare: (context: Context) => Promise<Run>;
}

export interface Context {
  /** Folder for downloads and jobs. */
  readonly cache: string;
  /** Hosts and workload as JavaScript. */
  readonly compiled: string;
  readonly log: (line: string) => void;
}

/** Runs a job; every result is told as it comes. Ends early when `signal` aborts. */
export type Run = (job: Job, onResult: (result: ItemResult) => void, signal: AbortSignal) => Promise<HostInfo>;

/** This back end cannot be had here, for a reason that is not a difference of bits. */
export class Missing extends Error {}

/** The same, and nothing that could be installed would help: no failure, not even in CI. */
export class Unsuited extends Missing {}

/** A host ended without having run all of its job; the message says which, and what it printed. */
export class HostFailed extends Error {}
