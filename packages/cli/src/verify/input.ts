import { type Saved, readSaved } from '@commonweight/verifier';
import { readFileSync, statSync } from 'node:fs';
import { UsageError } from '../fault.ts';
import { limits } from '../limits.ts';

/** Reads a saved answer; `-` is standard input. */
export function readInput(path: string): Saved {
  if (path === '-') return readSaved(readFileSync(0, 'utf8'));
  const { size } = statSync(path);
  if (size > limits.inputBytes)
    throw new UsageError(`${path} has ${size} bytes, at most ${limits.inputBytes} are read: is it a saved answer?`);
  return readSaved(readFileSync(path, 'utf8'));
}
