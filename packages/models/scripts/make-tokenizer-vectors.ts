// Writes conformance/tokenizer/smollm2.json: llama.cpp's token ids for the corpus, from the same GGUF file that the package is made from.
//
// Needs node-llama-cpp in a folder outside the repository (its 60 MB stay out of our tree):
//   mkdir /tmp/llama && cd /tmp/llama && npm init -y
//   npm i --ignore-scripts --omit=optional node-llama-cpp@3.22.1 @node-llama-cpp/linux-x64@3.22.1
// then: npx tsx packages/models/scripts/make-tokenizer-vectors.ts /tmp/llama MODEL.gguf
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { corpus } from './tokenizer-corpus.ts';

interface LlamaModel {
  tokenize(text: string, specialTokens: boolean, options: 'trimLeadingSpace' | undefined): readonly number[];
}
interface LlamaModule {
  readonly getLlama: (
    options: object,
  ) => Promise<{ loadModel(options: object): Promise<LlamaModel>; llamaCppRelease: { release: string } }>;
}

const [folder, modelPath] = process.argv.slice(2);
if (!folder || !modelPath) throw new Error('usage: make-tokenizer-vectors.ts FOLDER_WITH_NODE_LLAMA_CPP MODEL.gguf');
const entry = createRequire(join(resolve(folder), 'package.json')).resolve('node-llama-cpp');
const { getLlama } = (await import(pathToFileURL(entry).href)) as LlamaModule;
const llama = await getLlama({ gpu: false, build: 'never', logLevel: 'error' });
const model = await llama.loadModel({ modelPath: resolve(modelPath), vocabOnly: true });

const vectors = [
  ...corpus.map((text) => ({ text, special: false, ids: [...model.tokenize(text, false, undefined)] })),
  ...corpus.filter((text) => text.includes('<|')).map((text) => ({ text, special: true, ids: [...model.tokenize(text, true, undefined)] })),
];
const lines = vectors.map((vector) => `  ${JSON.stringify(vector)}`).join(',\n');
const source = { program: 'llama.cpp', release: llama.llamaCppRelease.release, binding: 'node-llama-cpp 3.22.1' };
writeFileSync(
  new URL('../../../conformance/tokenizer/smollm2.json', import.meta.url),
  `{"source":${JSON.stringify(source)},"vectors":[\n${lines}\n]}\n`,
);
console.log(`${vectors.length} vectors`);
process.exit(0);
