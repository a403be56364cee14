import { createHash } from 'node:crypto';
import { canonicalize, utf8 } from '@commonweight/protocol';
import { basename, resolve } from 'node:path';
import { type Card, cardName, parseCard, SAFETENSORS_CONVERTER } from '../card.ts';
import { withFileErrors } from '../file-errors.ts';
import { prepareSafetensors } from '../safetensors/prepare-safetensors.ts';
import { openShards, type Shards } from '../safetensors/shards.ts';
import type { SmallFile } from '../safetensors/read-small-file.ts';
import type { ImportOptions } from './import-gguf.ts';
import { hashFile } from './hash-file.ts';
import { type ImportedPackage, writePackage } from './write-package.ts';

/**
 * Converts a folder as Hugging Face lays models out (config.json, tokenizer.json, tokenizer_config.json, safetensors in one file or in shards)
 * into a package: the same one, bit for bit, as from a GGUF file with the same numbers. Throws {@link CommonweightError}: `safetensors_*`,
 * `model_unsupported`, `file`.
 */
export async function importSafetensors(options: Omit<ImportOptions, 'expectedSha256'>): Promise<ImportedPackage> {
  const { path, outDir, signal, onProgress = () => undefined } = options;
  const shards = await openShards(path);
  try {
    // First what can be refused at once, then the digest of gigabytes.
    const { prepared, files } = await prepareSafetensors(path, shards, options);
    const report = (done: number, total: number): void => onProgress('verify', done, total);
    const source = await withFileErrors(`reading ${path}`, () => sourceOf(shards, files, report, signal));
    const card = parseCard({
      name: cardName(prepared.name ?? 'model'),
      source: { uri: `file:${basename(resolve(path))}`, ...source },
      converter: SAFETENSORS_CONVERTER,
      licence: prepared.licence,
      parents: [],
    });
    return await writePackage(prepared, card, outDir, onProgress, signal);
  } finally {
    await shards.close();
  }
}

/** SHA-256 over the canonical JSON of {file name: SHA-256} of every file that took part, and their bytes. */
async function sourceOf(
  shards: Shards,
  files: readonly SmallFile[],
  report: (done: number, total: number) => void,
  signal: AbortSignal | undefined,
): Promise<Pick<Card['source'], 'sha256' | 'bytes'>> {
  const digests: Record<string, string> = Object.create(null) as Record<string, string>;
  for (const { name, bytes } of files) digests[name] = sha256(bytes);
  const total = shards.files.reduce((sum, { size }) => sum + size, 0);
  let before = 0;
  for (const { name, handle, size } of shards.files) {
    digests[name] = await hashFile(handle, size, (done) => report(before + done, total), signal);
    before += size;
  }
  const small = files.reduce((sum, { bytes }) => sum + bytes.length, 0);
  return { sha256: sha256(utf8(canonicalize({ ...digests }))), bytes: total + small };
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
