import { type Hex32, isPrivateKey } from '@commonweight/protocol';
import type { Command } from 'commander';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { UsageError } from '../fault.ts';
import { type TargetOptions, foldersOf } from './target.ts';

/** Whose key signs a command's transactions. */
export interface SignerOptions extends TargetOptions {
  readonly keyFile?: string;
  readonly dev?: true;
}

export const withSignerOptions = (command: Command): Command =>
  command
    .option('--key-file <file>', "private key that signs and pays the gas (default: the data folder's wallet.key)")
    .option('--dev', "sign as the dev account of the data folder's own chain, which holds its votes and money");

export const walletFile = (options: TargetOptions): string => join(foldersOf(options).data, 'wallet.key');

export async function readSigner(options: SignerOptions): Promise<Hex32> {
  if (options.dev) {
    if (options.keyFile !== undefined) throw new UsageError('--dev and --key-file name two keys: give one of them.');
    return readDevKey(join(foldersOf(options).chain, 'identity.json'));
  }
  const path = options.keyFile ?? walletFile(options);
  if (options.keyFile === undefined && !existsSync(path))
    throw new UsageError(
      `${path} is not there: make a wallet with commonweight wallet create, name a key with --key-file, or sign with --dev.`,
    );
  const { readKeyFile } = await import('@commonweight/node');
  return readKeyFile(path);
}

/** The development chain's own account; its chain wrote the file. */
function readDevKey(path: string): Hex32 {
  const { devKey } = JSON.parse(readFileSync(path, 'utf8')) as { devKey?: unknown };
  if (!isPrivateKey(devKey)) throw new UsageError(`${path}: expected the identity of a development chain.`);
  return devKey;
}
