import { mkdirSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { limits } from '../limits.ts';

/** Path of a log to append to; one that has grown large is put aside first, and only one older one is kept. */
export function prepareLog(folder: string, name: string): string {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, `${name}.log`);
  if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) > limits.logBytes) renameSync(path, `${path}.old`);
  return path;
}
