import { closeSync, fstatSync, openSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import {
  canonicalize,
  CommonweightError,
  type Hex32,
  limits as protocolLimits,
  type Manifest,
  MerkleTag,
  merkleRootOfBytes,
  type ModelFile,
  type ModelId,
  modelIdOf,
  packageFiles,
  parseManifest,
  toHex,
} from '@commonweight/protocol';
import { type Card, parseCard } from '../card.ts';
import { withFileErrors } from '../file-errors.ts';
import { type ByteSource, fileSource } from '../gguf/byte-source.ts';
import { limits } from '../limits.ts';
import { nativeSha256 } from '../sha256.ts';
import { createTokenizer, type Tokenizer } from '../tokenizer/create-tokenizer.ts';
import { rootOfSource } from './root-of-source.ts';

/**
 * A package on disk. Manifest, card, tokenizer and chat template were checked against the model id when it was opened; the weights are
 * checked by {@link ModelPackage.checkRoot} over the bytes that an executor got, or by {@link ModelPackage.verifyWeights} over the file.
 */
export interface ModelPackage {
  readonly dir: string;
  readonly modelId: ModelId;
  readonly manifest: Manifest;
  readonly card: Card;
  /** Reads weights.bin; fits the engine's `WeightsSource`. */
  readonly weights: () => ByteSource;
  /** Throws `digest_mismatch` unless `bytes` are exactly the file `name` of the manifest. 135 MB take about half a second. */
  readonly checkRoot: (name: string, bytes: Uint8Array) => void;
  /** Like `checkRoot` for weights.bin, over what `read` delivers (default: the file), a few MB at a time. */
  readonly verifyWeights: (read?: ByteSource['read']) => void;
  /** Built on first use (about 0.2 s), then kept. Throws `decode` when it does not have one token for every id of the model. */
  readonly tokenizer: () => Tokenizer;
  readonly chatTemplate: () => string;
  readonly close: () => Promise<void>;
}

/** Opens `dir`. Throws a CommonweightError: `file`, `decode` (also for a tokenizer of more or fewer ids than the model), `tokenizer`, or `digest_mismatch` when a file is not the one that the manifest names. */
export async function openPackage(dir: string, expectedModelId?: ModelId): Promise<ModelPackage> {
  const manifestBytes = await readSmall(dir, 'manifest.json', protocolLimits.manifestBytes);
  const manifest = parseManifest(parseJson(manifestBytes, 'manifest.json'));
  const modelId = modelIdOf(manifest);
  if (expectedModelId !== undefined && modelId !== expectedModelId) throw mismatch('manifest.json', expectedModelId, modelId);
  if (canonicalize(manifest) !== new TextDecoder().decode(manifestBytes)) {
    throw new CommonweightError(`${dir}/manifest.json: expected canonical JSON, got another spelling of it; import the model again`, {
      code: 'decode',
    });
  }
  const card = parseCard(parseJson(await readSmall(dir, 'card.json', protocolLimits.cardBytes), 'card.json'));
  const fileOf = (name: string): ModelFile => {
    const file = manifest.files.find((entry) => entry.name === name);
    if (!file) throw new CommonweightError(`${name}: expected a file of the manifest`, { code: 'decode', field: name });
    return file;
  };
  const checkRoot = (name: string, bytes: Uint8Array): void => {
    const file = fileOf(name);
    if (bytes.length !== file.size) throw mismatch(name, `${file.size} bytes`, `${bytes.length} bytes`);
    const root = toHex(merkleRootOfBytes(MerkleTag.file, bytes, nativeSha256)) as Hex32;
    if (root !== file.root) throw mismatch(name, file.root, root);
  };
  const readChecked = async (name: string, maximum: number): Promise<string> => {
    const bytes = await readSmall(dir, name, maximum);
    checkRoot(name, bytes);
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  };
  const tokenizerJson = await readChecked(packageFiles.tokenizer, limits.tokenizerBytes);
  const chatTemplate = await readChecked(packageFiles.chatTemplate, limits.chatTemplateBytes);

  const weightsFile = fileOf(packageFiles.weights);
  const weights = await openWeights(join(dir, packageFiles.weights), weightsFile.size);
  let tokenizer: Tokenizer | undefined;
  return {
    dir,
    modelId,
    manifest,
    card,
    checkRoot,
    weights: () => weights.source,
    verifyWeights(read = weights.source.read) {
      const root = rootOfSource({ size: weightsFile.size, read });
      if (root !== weightsFile.root) throw mismatch(packageFiles.weights, weightsFile.root, root);
    },
    tokenizer: () => (tokenizer ??= checkedTokenizer(tokenizerJson, manifest.graph.vocabulary)),
    chatTemplate: () => chatTemplate,
    close: weights.close,
  };
}

/** A tokenizer with exactly one token for every id of the model. */
function checkedTokenizer(json: string, vocabulary: number): Tokenizer {
  const tokenizer = createTokenizer(json);
  if (tokenizer.vocabulary === vocabulary) return tokenizer;
  throw new CommonweightError(
    `${packageFiles.tokenizer}: expected ${vocabulary} tokens, one an id of the model, got ${tokenizer.vocabulary}; import the model again`,
    { code: 'decode', action: 'stop', field: packageFiles.tokenizer },
  );
}

async function openWeights(path: string, size: number): Promise<{ readonly source: ByteSource; readonly close: () => Promise<void> }> {
  const descriptor = await withFileErrors(`opening ${path}`, async () => openSync(path, 'r'));
  const found = fstatSync(descriptor).size;
  if (found !== size) {
    closeSync(descriptor);
    throw mismatch(packageFiles.weights, `${size} bytes`, `${found} bytes`);
  }
  let isOpen = true;
  return {
    source: fileSource(descriptor, size),
    async close() {
      if (isOpen) closeSync(descriptor);
      isOpen = false;
    },
  };
}

/** Reads a file whole, after its size was checked. */
async function readSmall(dir: string, name: string, maximum: number): Promise<Uint8Array> {
  const path = join(dir, name);
  return await withFileErrors(`reading ${path}`, async () => {
    const file = await open(path, 'r');
    try {
      const { size } = await file.stat();
      if (size > maximum)
        throw new CommonweightError(`${path}: expected at most ${maximum} bytes, got ${size}`, { code: 'decode', field: name });
      const bytes = new Uint8Array(size);
      fileSource(file.fd, size).read(0, bytes);
      return bytes;
    } finally {
      await file.close();
    }
  });
}

function parseJson(bytes: Uint8Array, name: string): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new CommonweightError(`${name}: expected JSON in UTF-8; import the model again`, { code: 'decode', field: name, cause });
  }
}

const mismatch = (name: string, expected: string, got: string): CommonweightError =>
  new CommonweightError(`${name}: expected ${expected}, got ${got}; the file was changed or damaged, import the model again`, {
    code: 'digest_mismatch',
    action: 'stop',
    field: name,
  });
