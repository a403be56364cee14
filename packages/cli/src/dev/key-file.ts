import { generateKey } from '@commonweight/chain';
import { type Address, CommonweightError, addressOfKey, isHex32 } from '@commonweight/protocol';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

export interface KeyFile {
  readonly path: string;
  readonly address: Address;
}

/** Reads a key of the development network, or makes one: mode 0600, never overwritten. */
export function ensureKeyFile(path: string): KeyFile {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  if (!existsSync(path)) writeFileSync(path, `${generateKey()}\n`, { flag: 'wx', mode: 0o600 });
  const key = readFileSync(path, 'utf8').trim();
  if (!isHex32(key)) {
    throw new CommonweightError(
      `${path}: expected a private key of 32 bytes in hex; restore the file, or start afresh with another --data folder.`,
      { code: 'bad_key_file' },
    );
  }
  return { path, address: addressOfKey(key) };
}
