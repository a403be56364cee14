import type { SpawnOptions } from 'node:child_process';

export interface Captured {
  readonly code: number;
  readonly signal: string | null;
  readonly tail: string;
}
export function capture(command: string, args: readonly string[], options?: SpawnOptions): Promise<Captured>;
export function show(command: string, args: readonly string[], options?: SpawnOptions): Promise<number>;
export function npmCommand(args: readonly string[]): {
  readonly command: string;
  readonly args: string[];
  readonly options: { readonly shell?: boolean };
};
