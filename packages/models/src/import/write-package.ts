import { mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  canonicalize,
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
import type { Card } from '../card.ts';
import { withFileErrors } from '../file-errors.ts';
import type { OnProgress } from '../progress.ts';
import { nativeSha256 } from '../sha256.ts';
import { buildManifest } from './plan.ts';
import type { PreparedImport } from './prepare.ts';
import { publishFolder, syncFolder, temporaryFolder } from './publish-folder.ts';
import { ropeFrequencies } from './rope-frequencies.ts';
import { WeightsWriter } from './weights-writer.ts';
import { writeWeights } from './write-weights.ts';

export interface ImportedPackage {
  readonly modelId: ModelId;
  readonly dir: string;
  readonly manifest: Manifest;
  readonly card: Card;
}

/** Converts and publishes: nothing is visible under `outDir/<model id>` before everything is on disk; a half import is discarded by the next one. */
export async function writePackage(
  prepared: PreparedImport,
  card: Card,
  outDir: string,
  onProgress: OnProgress,
  signal: AbortSignal | undefined,
): Promise<ImportedPackage> {
  return await withFileErrors(`writing a model package to ${outDir}`, async () => {
    await mkdir(outDir, { recursive: true });
    const temporary = await temporaryFolder(outDir);
    try {
      const manifest = await writeFiles(prepared, temporary, card, onProgress, signal);
      const modelId = modelIdOf(manifest);
      const dir = join(outDir, modelId);
      await publishFolder(temporary, dir);
      return { modelId, dir, manifest, card };
    } finally {
      await rm(temporary, { recursive: true, force: true });
    }
  });
}

async function writeFiles(
  { graph, rope, plan, generation, tokenizerJson, chatTemplate }: PreparedImport,
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
    tensors = await writeWeights(plan, ropeFrequencies(rope, graph.headDimension), writer, report, signal);
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
