import { fork } from 'node:child_process';
import { join } from 'node:path';
import type { Figures } from './compare.ts';
import type { SubjectSpec } from './subject.ts';
import type { WindowResults } from './window-results.ts';

export interface WindowRun {
  /** The float model's file. */
  readonly gguf: string;
  readonly subjects: readonly SubjectSpec[];
  readonly windows: readonly (readonly number[])[];
  /** Figures by the subjects' names; what is missing is added. */
  readonly results: ReadonlyMap<string, WindowResults>;
  readonly processes: number;
  readonly onWindow: (done: number, total: number) => void;
}

/** Runs the windows that have no figures yet. The float model runs a window once for all subjects, each process loads every model once. */
export async function runWindows({ gguf, subjects, windows, results, processes, onWindow }: WindowRun): Promise<void> {
  const missing = windows.filter((ids) => subjects.some(({ name }) => results.get(name)!.get(ids) === undefined));
  let next = 0;
  let done = 0;
  /** A process of its own: threads would not see the TypeScript loader that this file runs under. */
  const runProcess = async (): Promise<void> => {
    const child = fork(join(import.meta.dirname, 'window-process.ts'), [gguf, JSON.stringify(subjects)]);
    await new Promise<void>((resolve, reject) => {
      let window: readonly number[] | undefined;
      child.on('error', reject);
      child.on('exit', (code) => (code === 0 ? resolve() : reject(new Error(`a window process ended with code ${code}`))));
      child.on('message', (message: 'ready' | Record<string, Figures>) => {
        if (message !== 'ready') {
          for (const [name, figures] of Object.entries(message)) results.get(name)!.set(window!, figures);
          onWindow(++done, missing.length);
        }
        window = missing[next++];
        if (window) child.send(window);
        else child.disconnect();
      });
    });
  };
  await Promise.all(Array.from({ length: Math.min(processes, missing.length) }, runProcess));
}
