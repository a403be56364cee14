import { createHash } from 'node:crypto';
import { createReadStream, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';

/** Where a file came from and what it was, so that a later run can tell that it is still that. */
export interface Stamp {
  readonly madeFrom: string;
  readonly bytes: number;
  readonly sha256: string;
}

async function digestOf(path: string, signal: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20, signal })) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

/** Whether `path` is whole and was made from `madeFrom`. Hashes it: about a second a GB. */
export async function isSound(path: string, madeFrom: string, signal: AbortSignal): Promise<boolean> {
  if (!existsSync(path) || !existsSync(`${path}.json`)) return false;
  const stamp = JSON.parse(readFileSync(`${path}.json`, 'utf8')) as Stamp;
  return stamp.madeFrom === madeFrom && stamp.bytes === statSync(path).size && stamp.sha256 === (await digestOf(path, signal));
}

export async function writeStamp(path: string, madeFrom: string, signal: AbortSignal): Promise<void> {
  const stamp: Stamp = { madeFrom, bytes: statSync(path).size, sha256: await digestOf(path, signal) };
  writeFileSync(`${path}.json`, JSON.stringify(stamp));
}
