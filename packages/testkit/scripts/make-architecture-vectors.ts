// Writes conformance/architectures/*.json: llama.cpp's float logits of tiny random models, one an architecture.
//
// Needs node-llama-cpp in a folder outside the repository (its 60 MB stay out of our tree):
//   mkdir /tmp/llama && cd /tmp/llama && npm init -y
//   npm i --ignore-scripts --omit=optional node-llama-cpp@3.22.1 @node-llama-cpp/linux-x64@3.22.1
// then: npx tsx packages/testkit/scripts/make-architecture-vectors.ts /tmp/llama
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Xorshift } from '@commonweight/engine/testing/operations';
import { sha256, toBase64, toHex } from '@commonweight/protocol';
import { architectureCases } from '../src/architectures/architecture-cases.ts';
import { architectureGguf, architectureVocabulary } from '../src/architectures/architecture-gguf.ts';

interface Evaluated {
  readonly next: { readonly logits?: ReadonlyMap<number, number> };
}
interface LlamaSequence {
  controlledEvaluate(input: readonly (number | [number, object])[]): Promise<readonly (Evaluated | undefined)[]>;
}
interface LlamaContext {
  getSequence(): LlamaSequence;
  dispose(): Promise<void>;
}
interface LlamaModel {
  createContext(options: object): Promise<LlamaContext>;
  dispose(): Promise<void>;
}
interface LlamaModule {
  readonly getLlama: (
    options: object,
  ) => Promise<{ loadModel(options: object): Promise<LlamaModel>; llamaCppRelease: { release: string } }>;
}

const IDS = 48;
const POSITIONS = [0, 1, 2, 5, 11, 23, 35, 47];

const [folder] = process.argv.slice(2);
if (!folder) throw new Error('usage: make-architecture-vectors.ts FOLDER_WITH_NODE_LLAMA_CPP');
const entry = createRequire(join(resolve(folder), 'package.json')).resolve('node-llama-cpp');
const { getLlama } = (await import(pathToFileURL(entry).href)) as LlamaModule;
const llama = await getLlama({ gpu: false, build: 'never', logLevel: 'error' });
const source = { program: 'llama.cpp', release: llama.llamaCppRelease.release, binding: 'node-llama-cpp 3.22.1' };
const scratch = mkdtempSync(join(tmpdir(), 'architectures-'));

for (const [name, model] of Object.entries(architectureCases)) {
  const gguf = architectureGguf(model);
  const path = join(scratch, `${name}.gguf`);
  writeFileSync(path, gguf);
  const random = new Xorshift(model.seed);
  const ids = Array.from({ length: IDS }, () => random.integer(0, architectureVocabulary - 1));
  const loaded = await llama.loadModel({ modelPath: path, gpuLayers: 0 });
  // A cache of half floats would cost 1e-3.
  const cache = { experimentalKvCacheKeyType: 'F32', experimentalKvCacheValueType: 'F32' };
  const context = await loaded.createContext({ contextSize: 256, threads: 1, flashAttention: false, ...cache });
  const wanted = { generateNext: { logits: true, token: true, options: { temperature: 0 } } };
  const results = await context.getSequence().controlledEvaluate(ids.map((id, i) => (POSITIONS.includes(i) ? [id, wanted] : id)));
  const logits = new Float32Array(POSITIONS.length * architectureVocabulary);
  for (const [i, position] of POSITIONS.entries()) {
    const found = results[position]?.next.logits;
    if (found?.size !== architectureVocabulary) throw new Error(`${name}: logits of position ${position} are missing`);
    for (const [id, logit] of found) logits[i * architectureVocabulary + id] = logit;
  }
  await context.dispose();
  await loaded.dispose();
  const vector = {
    source,
    gguf: toHex(sha256(gguf)),
    ids,
    positions: POSITIONS,
    logits: toBase64(new Uint8Array(logits.buffer)),
  };
  writeFileSync(new URL(`../../../conformance/architectures/${name}.json`, import.meta.url), `${JSON.stringify(vector)}\n`);
  console.log(name, Math.max(...logits).toFixed(2), Math.min(...logits).toFixed(2));
}
rmSync(scratch, { recursive: true });
process.exit(0);
