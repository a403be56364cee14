import {
  type ImportProfile,
  type OnProgress,
  type Phase,
  ensureDefaultModel,
  fetchDefaultModel,
  importModel as convertModel,
  openPackage,
} from '@commonweight/models';
import { CommonweightError, type Hex32, type ModelId, canonicalize, packageFiles, sha256, toHex, utf8 } from '@commonweight/protocol';
import { type Output, bar } from '../output.ts';
import type { Layout } from './layout.ts';

/** What the network needs to know of the model that it serves. */
export interface PreparedModel {
  readonly id: ModelId;
  readonly name: string;
  /** Package folder. */
  readonly dir: string;
  /** Root of weights.bin. */
  readonly weightsRoot: Hex32;
  /** SHA-256 of the canonical card. */
  readonly cardDigest: Hex32;
}

export interface PrepareOptions {
  /** A copy of the default model's GGUF file; without it the file is fetched from wherever it can be had. */
  readonly path?: string | undefined;
  readonly layout: Layout;
  readonly output: Output;
  readonly signal?: AbortSignal;
}

/** The default model as a package in the data folder; quick when it is there already. */
export async function prepareModel({
  path = process.env['COMMONWEIGHT_MODEL_PATH'] || undefined,
  layout,
  output,
  signal,
}: PrepareOptions): Promise<PreparedModel> {
  const dir = await ensureDefaultModel({
    dataDir: layout.data,
    path,
    onProgress: modelProgress(output),
    log: (line) => {
      output.note(line);
      output.event('model', { phase: 'note', message: line });
    },
    ...(signal && { signal }),
  });
  return describeModel(dir);
}

/** The default model's file, converted by another profile. */
export async function importDefault({
  path,
  profile,
  layout,
  output,
  signal,
}: PrepareOptions & { readonly profile: ImportProfile }): Promise<PreparedModel> {
  const file = await fetchDefaultModel({
    dataDir: layout.data,
    path: path ?? (process.env['COMMONWEIGHT_MODEL_PATH'] || undefined),
    onProgress: modelProgress(output),
    log: output.note,
    ...(signal && { signal }),
  });
  return await importModel({ path: file, profile, layout, output, ...(signal && { signal }) });
}

/** Any GGUF file or folder with safetensors that the converter understands, as a package in the data folder. */
export async function importModel({
  path,
  profile,
  layout,
  output,
  signal,
}: PrepareOptions & { readonly path: string; readonly profile: ImportProfile }): Promise<PreparedModel> {
  const { dir } = await convertModel({
    path,
    profile,
    outDir: layout.models,
    onProgress: modelProgress(output),
    ...(signal && { signal }),
  });
  return describeModel(dir);
}

export async function describeModel(dir: string): Promise<PreparedModel> {
  const model = await openPackage(dir);
  try {
    const { modelId: id, card, manifest } = model;
    const weights = manifest.files.find(({ name }) => name === packageFiles.weights);
    if (weights === undefined)
      throw new CommonweightError(`${dir}: the manifest names no weights; import the model again`, { code: 'decode' });
    return { id, name: card.name, dir, weightsRoot: weights.root, cardDigest: toHex(sha256(utf8(canonicalize(card)))) };
  } finally {
    await model.close();
  }
}

const words: Readonly<Record<Phase, string>> = {
  download: 'downloading the model',
  verify: 'checking the model file',
  import: 'converting the model',
};

const mebibytes = (bytes: number): string => (bytes / 2 ** 20).toFixed(0);

/** Shows the phases of getting a model: a bar that is redrawn on a terminal. */
function modelProgress(output: Output): OnProgress {
  return (phase, done, total) => {
    const amount = total === undefined ? `${mebibytes(done)} MiB` : `${bar(done, total)} ${mebibytes(done)}/${mebibytes(total)} MiB`;
    output.progress('model', `${words[phase]} ${amount}`, { phase, done, ...(total !== undefined && { total }) });
  };
}
