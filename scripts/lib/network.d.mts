import type { ChildProcess, SpawnOptions } from 'node:child_process';

export interface NetworkEvent {
  readonly event: string;
  readonly [field: string]: unknown;
}

/** The last event before the network serves. */
export interface ReadyEvent extends NetworkEvent {
  readonly url: string;
  readonly model: { readonly name: string; readonly id: string };
  readonly nodes: readonly { readonly id: string; readonly url: string }[];
  readonly seconds: number;
  readonly pid: number;
}

/** A `commonweight dev --json` that was started as a child; its events, and ways to end it. */
export declare class Network {
  readonly child: ChildProcess;
  readonly events: NetworkEvent[];
  readonly stderr: string;
  /** Exit code or name of the signal. */
  readonly exited: Promise<number | string | null>;
  constructor(command: string, args: readonly string[], options?: SpawnOptions);
  event(matches: (event: NetworkEvent) => boolean, past?: boolean): Promise<NetworkEvent>;
  ready(): Promise<ReadyEvent>;
  pressCtrlC(): Promise<number | string | null>;
  stop(signal?: NodeJS.Signals): Promise<number | string | null>;
}

export declare function processesLeft(mark: string, milliseconds: number): Promise<number[]>;
