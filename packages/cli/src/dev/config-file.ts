import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Writes the configuration of one role; the role itself checks it. */
export function writeConfig(folder: string, config: Readonly<Record<string, unknown>>): string {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, 'config.json');
  writeFileSync(path, `${JSON.stringify(config, undefined, 2)}\n`, { mode: 0o600 });
  return path;
}
