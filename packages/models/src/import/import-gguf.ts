import { open } from 'node:fs/promises';
import { basename } from 'node:path';
import { CommonweightError } from '@commonweight/protocol';
import { type Card, cardName, CONVERTER, parseCard } from '../card.ts';
import { defaultModel } from '../default-model.ts';
import { withFileErrors } from '../file-errors.ts';
import { fileSource } from '../gguf/byte-source.ts';
import type { OnProgress } from '../progress.ts';
import { hashFile } from './hash-file.ts';
import type { ImportProfile } from './profile.ts';
import { type PreparedImport, prepareImport } from './prepare.ts';
import { type ImportedPackage, writePackage } from './write-package.ts';

export interface ImportOptions {
  /** The GGUF file. */
  readonly path: string;
  /** Folder of packages: the package becomes `outDir/<model id>`. */
  readonly outDir: string;
  readonly onProgress?: OnProgress;
  readonly signal?: AbortSignal;
  /** Positions that the package is made for, if they are to be fewer than the model's (and than `limits.contextPositions`). Changes the id. */
  readonly context?: number;
  /** How numbers become integers; see {@link ImportProfile}. Changes the id. */
  readonly profile?: ImportProfile;
  /** 64 hexadecimal digits; a file with another digest is refused before it is read as GGUF. */
  readonly expectedSha256?: string;
}

/**
 * Converts a GGUF file into a package. The result depends on the tensors, the tokenizer and the template alone: equal on every machine and
 * from every source. Nothing is visible under `outDir/<model id>` before everything is on disk; a half import is discarded by the next one.
 * Throws {@link CommonweightError}: `gguf_*` and `model_unsupported` (the file), `digest_mismatch`, `file` (the disk).
 */
export async function importGguf(options: ImportOptions): Promise<ImportedPackage> {
  const { path, outDir, signal } = options;
  const onProgress = options.onProgress ?? (() => undefined);
  const file = await withFileErrors(`opening ${path}`, () => open(path, 'r'));
  try {
    const { size } = await file.stat();
    const sha256 = await withFileErrors(`reading ${path}`, () => hashFile(file, size, (done) => onProgress('verify', done, size), signal));
    if (options.expectedSha256 !== undefined && sha256 !== options.expectedSha256) {
      throw new CommonweightError(
        `${path}: expected a file with SHA-256 ${options.expectedSha256}, got ${sha256} (${size} bytes); fetch it again`,
        {
          code: 'digest_mismatch',
          field: 'sha256',
        },
      );
    }
    const prepared = prepareImport(fileSource(file.fd, size), options);
    return await writePackage(prepared, cardOf(prepared, path, sha256, size), outDir, onProgress, signal);
  } finally {
    await file.close();
  }
}

function cardOf(prepared: PreparedImport, path: string, sha256: string, bytes: number): Card {
  const isDefault = sha256 === defaultModel.sha256;
  const { repository, revision } = defaultModel.hub;
  return parseCard({
    name: isDefault ? defaultModel.name : cardName(prepared.name ?? basename(path)),
    source: { uri: isDefault ? `hf:${repository}@${revision}/${defaultModel.fileName}` : `file:${basename(path)}`, sha256, bytes },
    converter: CONVERTER,
    licence: prepared.licence.slice(0, 128),
    parents: [],
  });
}
