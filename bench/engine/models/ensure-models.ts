import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type OnProgress, ensureDefaultModel, fetchDefaultModel, importGguf, openPackage } from '@commonweight/models';
import { ENGINE_SPEC } from '@commonweight/protocol';
import type { Progress } from '../progress.ts';
import { writeDefaultQ8 } from './default-q8.ts';
import { writeInt8Variant } from './int8-variant.ts';
import { type ModelName, SHAPE_1B } from './shapes.ts';
import { isSound, writeStamp } from './stamp.ts';
import { writeSyntheticQ8 } from './synthetic-q8.ts';

/** One model in the forms that are compared. */
export interface BenchModel {
  readonly name: Exclude<ModelName, '8B'>;
  /** For llama.cpp. */
  readonly gguf: string;
  /** For the engine. */
  readonly packageDir: string;
  /** The same with 8-bit activations. */
  readonly int8Dir: string | undefined;
}

const SEED = 20_261_121;

/** The real model: its package, and its weights again as Q8_0. */
export async function ensureDefault(cache: string, dataDir: string, progress: Progress, signal: AbortSignal): Promise<BenchModel> {
  const options = { dataDir, signal, log: progress.line, onProgress: progressOf(progress, '135M') };
  const packageDir = await ensureDefaultModel(options);
  const source = await fetchDefaultModel(options);
  const gguf = await ensureFile(join(cache, '135M.q8_0.gguf'), source, progress, signal, writeDefaultQ8.bind(undefined, source));
  return { name: '135M', gguf, packageDir, int8Dir: undefined };
}

/** A synthetic model: written as Q8_0 once, and imported from that file. */
export async function ensureSynthetic(cache: string, progress: Progress, signal: AbortSignal): Promise<BenchModel> {
  const name = '1.1B';
  const gguf = await ensureFile(join(cache, `${name}.q8_0.gguf`), `seed ${SEED}`, progress, signal, (path, onBytes) =>
    writeSyntheticQ8(`synthetic ${name}`, SHAPE_1B, SEED, path, onBytes, signal),
  );
  const packageDir = await ensureImported(gguf, join(cache, `${name}-packages`), progress, signal);
  const int8Dir = join(cache, `${name}-int8`);
  await writeInt8Variant(packageDir, int8Dir);
  return { name, gguf, packageDir, int8Dir };
}

async function ensureFile(
  path: string,
  madeFrom: string,
  progress: Progress,
  signal: AbortSignal,
  write: (path: string, onBytes: (done: number, total: number) => void, signal: AbortSignal) => Promise<void>,
): Promise<string> {
  if (await isSound(path, madeFrom, signal)) return path;
  await mkdir(join(path, '..'), { recursive: true });
  await write(path, (done, total) => progress.bytes(`writing ${path}`, done, total), signal);
  await writeStamp(path, madeFrom, signal);
  return path;
}

/** One package in `folder`, of today's specification; older ones are deleted. */
async function ensureImported(gguf: string, folder: string, progress: Progress, signal: AbortSignal): Promise<string> {
  await mkdir(folder, { recursive: true });
  for (const id of await readdir(folder)) {
    const dir = join(folder, id);
    if (await isCurrent(dir)) return dir;
    await rm(dir, { recursive: true });
  }
  const { dir } = await importGguf({ path: gguf, outDir: folder, signal, onProgress: progressOf(progress, 'importing') });
  return dir;
}

async function isCurrent(dir: string): Promise<boolean> {
  try {
    const model = await openPackage(dir);
    await model.close();
    return model.manifest.spec === ENGINE_SPEC;
  } catch {
    return false; // made again
  }
}

const progressOf =
  (progress: Progress, what: string): OnProgress =>
  (phase, done, total) =>
    progress.bytes(`${what}: ${phase}`, done, total);
