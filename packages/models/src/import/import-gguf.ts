import { mkdir, open, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import {
  canonicalize,
  CommonweightError,
  type Manifest,
  MerkleTag,
  merkleRootOfBytes,
  type ModelFile,
  type ModelId,
  modelIdOf,
  packageFiles,
  type Tensor,
  toHex,
  utf8,
} from '@commonweight/protocol';
import { type Card, CONVERTER, parseCard } from '../card.ts';
import { defaultModel } from '../default-model.ts';
import { withFileErrors } from '../file-errors.ts';
import { type ByteSource, fileSource } from '../gguf/byte-source.ts';
import type { Gguf } from '../gguf/parse-gguf.ts';
import type { OnProgress } from '../progress.ts';
import { nativeSha256 } from '../sha256.ts';
import { hashFile } from './hash-file.ts';
import { Metadata } from './metadata.ts';
import { buildManifest } from './plan.ts';
import { type PreparedImport, prepareImport } from './prepare.ts';
import { publishFolder, syncFolder, temporaryFolder } from './publish-folder.ts';
import { WeightsWriter } from './weights-writer.ts';
import { writeWeights } from './write-weights.ts';

export interface ImportOptions {
  /** The GGUF file. */
  readonly path: string;
  /** Folder of packages: the package becomes `outDir/<model id>`. */
  readonly outDir: string;
  readonly onProgress?: OnProgress;
  readonly signal?: AbortSignal;
  /** 64 hexadecimal digits; a file with another digest is refused before it is read as GGUF. */
  readonly expectedSha256?: string;
}

export interface ImportedPackage {
  readonly modelId: ModelId;
  readonly dir: string;
  readonly manifest: Manifest;
  readonly card: Card;
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
    const source = fileSource(file.fd, size);
    const prepared = prepareImport(source);
    return await withFileErrors(`writing a model package to ${outDir}`, async () => {
      await mkdir(outDir, { recursive: true });
      const temporary = await temporaryFolder(outDir);
      try {
        const card = cardOf(prepared.gguf, path, sha256, size);
        const manifest = await writePackage(source, prepared, temporary, card, onProgress, signal);
        const modelId = modelIdOf(manifest);
        const dir = join(outDir, modelId);
        await publishFolder(temporary, dir);
        return { modelId, dir, manifest, card };
      } finally {
        await rm(temporary, { recursive: true, force: true });
      }
    });
  } finally {
    await file.close();
  }
}

async function writePackage(
  source: ByteSource,
  { graph, ropeBase, plan, generation, tokenizerJson, chatTemplate }: PreparedImport,
  folder: string,
  card: Card,
  onProgress: OnProgress,
  signal: AbortSignal | undefined,
): Promise<Manifest> {
  const weights = await open(join(folder, packageFiles.weights), 'wx');
  let tensors: Tensor[];
  const files: ModelFile[] = [];
  try {
    const writer = new WeightsWriter(weights);
    const report = (done: number): void => onProgress('import', done, plan.size);
    tensors = await writeWeights(source, plan, ropeBase, writer, report, signal);
    files.push({ name: packageFiles.weights, size: writer.size, root: writer.root });
    await weights.sync();
  } finally {
    await weights.close();
  }
  for (const [name, bytes] of [
    [packageFiles.tokenizer, tokenizerJson],
    [packageFiles.chatTemplate, chatTemplate],
  ] as const) {
    await writeSynced(join(folder, name), bytes);
    files.push({ name, size: bytes.length, root: toHex(merkleRootOfBytes(MerkleTag.file, bytes, nativeSha256)) });
  }
  const manifest = buildManifest(graph, tensors, files, generation);
  await writeSynced(join(folder, 'manifest.json'), utf8(canonicalize(manifest)));
  await writeSynced(join(folder, 'card.json'), utf8(canonicalize(card)));
  await syncFolder(folder);
  return manifest;
}

async function writeSynced(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(path, 'wx');
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

function cardOf(gguf: Gguf, path: string, sha256: string, bytes: number): Card {
  const metadata = new Metadata(gguf.metadata);
  const isDefault = sha256 === defaultModel.sha256;
  const { repository, revision } = defaultModel.hub;
  const slug = (text: string): string =>
    text
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '-')
      .slice(0, 60)
      .replace(/^-|-$/g, '') || 'model';
  return parseCard({
    name: isDefault ? defaultModel.name : slug(metadata.string('general.name', basename(path))),
    source: { uri: isDefault ? `hf:${repository}@${revision}/${defaultModel.fileName}` : `file:${basename(path)}`, sha256, bytes },
    converter: CONVERTER,
    licence: metadata.string('general.license', 'unknown').slice(0, 128),
    parents: [],
  });
}
