// Writes conformance/tokenizer/smollm2.json, pre-tokenizers.json and sentencepiece.json: llama.cpp's token ids for the corpus, from the same
// GGUF file that the package is made from, and from the small vocabularies of make-tokenizer-vocabularies.py.
//
//   mkdir /tmp/llama && cd /tmp/llama && npm init -y
//   npm i --ignore-scripts --omit=optional node-llama-cpp@3.22.1 @node-llama-cpp/linux-x64@3.22.1
// then: npx tsx packages/models/scripts/make-tokenizer-vectors.ts /tmp/llama MODEL.gguf
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { preTokenizerNames } from '../src/import/pre-tokenizer.ts';
import { type MetadataEntry, writeGguf } from '../src/testing/write-gguf.ts';
import { openLlama } from './llama-vocabulary.ts';
import { corpus } from './tokenizer-corpus.ts';

const [folder, modelPath] = process.argv.slice(2);
if (!folder || !modelPath) throw new Error('usage: make-tokenizer-vectors.ts FOLDER_WITH_NODE_LLAMA_CPP MODEL.gguf');
const llama = await openLlama(folder);
const output = (name: string): URL => new URL(`../../../conformance/tokenizer/${name}.json`, import.meta.url);
const list = (values: readonly unknown[]): string => values.map((value) => `  ${JSON.stringify(value)}`).join(',\n');

const model = await llama.load(modelPath);
const vectors = [
  ...corpus.map((text) => ({ text, special: false, ids: [...model.tokenize(text, false, undefined)] })),
  ...corpus.filter((text) => text.includes('<|')).map((text) => ({ text, special: true, ids: [...model.tokenize(text, true, undefined)] })),
];
writeFileSync(output('smollm2'), `{"source":${JSON.stringify(llama.source)},"vectors":[\n${list(vectors)}\n]}\n`);

interface Trained {
  readonly tokens: readonly string[];
  readonly merges: readonly string[];
}
interface Pieces extends Pick<Trained, 'tokens'> {
  readonly scores: readonly number[];
  readonly kinds: readonly (keyof typeof kinds)[];
}
const kinds = { normal: 1, unknown: 2, control: 3, byte: 6 } as const;
const read = <T>(name: string): T => JSON.parse(readFileSync(output(name), 'utf8')) as T;
const scratch = mkdtempSync(join(tmpdir(), 'tokenizers-'));
let files = 0;

/** llama.cpp's ids of the corpus under a vocabulary alone. */
async function idsOf(entries: readonly MetadataEntry[], text = (raw: string): string => raw): Promise<string> {
  const path = join(scratch, `${files++}.gguf`);
  const shape = ['context_length', 'embedding_length', 'feed_forward_length', 'block_count', 'attention.head_count'];
  const bytes = writeGguf(
    [
      { key: 'general.architecture', type: 'string', value: 'llama' },
      ...shape.map((key): MetadataEntry => ({ key: `llama.${key}`, type: 'u32', value: 64 })),
      { key: 'llama.attention.layer_norm_rms_epsilon', type: 'f32', value: 1e-5 },
      ...entries,
    ],
    [],
  );
  writeFileSync(path, bytes);
  const vocabulary = await llama.load(path);
  return list(corpus.map((raw) => vocabulary.tokenize(text(raw), false, undefined)));
}
const strings = (key: string, value: readonly string[]): MetadataEntry => ({ key: `tokenizer.ggml.${key}`, type: 'strings', value });

const bpe = read<Trained>('bpe-vocabulary');
const parts: string[] = [];
for (const pre of preTokenizerNames) {
  const ids = await idsOf(
    [
      { key: 'tokenizer.ggml.model', type: 'string', value: 'gpt2' },
      { key: 'tokenizer.ggml.pre', type: 'string', value: pre },
      strings('tokens', bpe.tokens),
      { key: 'tokenizer.ggml.token_type', type: 'i32s', value: bpe.tokens.map(() => kinds.normal) },
      strings('merges', bpe.merges),
      // llama.cpp's defaults are ids that this vocabulary does not have.
      ...['bos', 'eos'].map((name): MetadataEntry => ({ key: `tokenizer.ggml.${name}_token_id`, type: 'u32', value: 0 })),
    ],
    // llama.cpp does not compose texts, Qwen's own tokenizer does.
    pre === 'qwen2' ? (raw) => raw.normalize('NFC') : undefined,
  );
  parts.push(` ${JSON.stringify(pre)}:[\n${ids}\n ]`);
}
writeFileSync(output('pre-tokenizers'), `{"source":${JSON.stringify(llama.source)},"ids":{\n${parts.join(',\n')}\n}}\n`);

const pieces = read<Pieces>('sentencepiece-vocabulary');
const ids = await idsOf([
  { key: 'tokenizer.ggml.model', type: 'string', value: 'llama' },
  strings('tokens', pieces.tokens),
  { key: 'tokenizer.ggml.scores', type: 'f32s', value: pieces.scores },
  { key: 'tokenizer.ggml.token_type', type: 'i32s', value: pieces.kinds.map((kind) => kinds[kind]) },
]);
writeFileSync(output('sentencepiece'), `{"source":${JSON.stringify(llama.source)},"ids":[\n${ids}\n]}\n`);
rmSync(scratch, { recursive: true });
console.log(`${vectors.length} vectors`);
process.exit(0);
