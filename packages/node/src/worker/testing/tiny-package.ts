import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TinyModel, type TinyModelOptions, buildTinyModel } from '@commonweight/engine/testing';
import { MerkleTag, canonicalize, merkleRootOfBytes, packageFiles, toHex, utf8 } from '@commonweight/protocol';

/** Writes a small random model as a package folder. */
export async function writeTinyPackage(folder: string, options: TinyModelOptions = {}): Promise<TinyModel> {
  const model = withTokenizer(buildTinyModel(options));
  await mkdir(folder, { recursive: true });
  for (const [name, bytes] of Object.entries(model.files)) await writeFile(join(folder, name), bytes);
  await writeFile(join(folder, 'manifest.json'), canonicalize(model.manifest));
  const source = { uri: 'tiny-model', sha256: '00'.repeat(32), bytes: model.weights.length };
  await writeFile(
    join(folder, 'card.json'),
    canonicalize({ name: 'tiny', source, converter: 'tiny-model/1', licence: 'Apache-2.0', parents: [] }),
  );
  return model;
}

/** The model with a tokenizer of as many ids as it has: a package is not opened without. Its tokens are nobody's text. */
function withTokenizer(model: TinyModel): TinyModel {
  const vocab = Object.fromEntries(Array.from({ length: model.manifest.graph.vocabulary }, (_, id) => [`token_${id}`, id]));
  const byteLevel = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true };
  const pipeline = { normalizer: null, pre_tokenizer: byteLevel, post_processor: null, decoder: byteLevel, added_tokens: [] };
  const bytes = utf8(canonicalize({ model: { type: 'BPE', vocab, merges: [] }, ...pipeline }));
  const root = toHex(merkleRootOfBytes(MerkleTag.file, bytes));
  const files = model.manifest.files.map((file) => (file.name === packageFiles.tokenizer ? { ...file, size: bytes.length, root } : file));
  return { ...model, manifest: { ...model.manifest, files }, files: { ...model.files, [packageFiles.tokenizer]: bytes } };
}

/** Slow enough (some 1,000 tokens a second) that whoever stops a run of thousands of tokens comes long before its end. */
export const unhurried: TinyModelOptions = { context: 8192, layers: 4, width: 256, ffnWidth: 1024, vocabulary: 2048 };
