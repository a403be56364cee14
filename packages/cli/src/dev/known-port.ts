import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { limits } from '../limits.ts';
import { isPortFree } from './port.ts';

const fileOf = (folder: string): string => join(folder, 'port');

/** Remembers where a role of this folder serves. */
export const rememberPort = (folder: string, port: number): void => writeFileSync(fileOf(folder), `${port}\n`, { mode: 0o600 });

/** The port of the last time when nobody listens on it now, 0 otherwise: a node that keeps its port need not change its entry on the chain. */
export async function knownPort(host: string, folder: string): Promise<number> {
  const size = statSync(fileOf(folder), { throwIfNoEntry: false })?.size;
  if (size === undefined || size > limits.stateBytes) return 0;
  const port = Number(readFileSync(fileOf(folder), 'utf8'));
  if (!Number.isInteger(port) || port < 1 || port > 65_535) return 0;
  return (await isPortFree(host, port)) ? port : 0;
}
