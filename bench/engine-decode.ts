// Speed of the WASM engine on one thread: `npm run bench:decode [-- PACKAGE_FOLDER]`. Without a folder: random weights in the shape of SmolLM2-135M.
import { type Executor, createWasmExecutor, generate, generateSteps } from '@commonweight/engine';
import { loadEngineWasm, nodeSha256 } from '@commonweight/engine/node';
import { type TinyModelOptions, buildTinyModel } from '@commonweight/engine/testing';
import { type Sha256, packageFiles, parseManifest } from '@commonweight/protocol';
import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';

const SMOLLM2_135M: TinyModelOptions = {
  layers: 30,
  width: 576,
  heads: 9,
  kvHeads: 3,
  headDimension: 64,
  ffnWidth: 1536,
  vocabulary: 49_152,
  context: 2048,
  commitPoints: [5, 11, 17, 23, 29],
};
const PROMPT = 256;
const TOKENS = 128;

function open(folder: string | undefined): Executor {
  const engine = loadEngineWasm();
  if (folder === undefined) {
    const { manifest, source } = buildTinyModel(SMOLLM2_135M);
    return createWasmExecutor(manifest, source, engine);
  }
  const file = openSync(join(folder, packageFiles.weights), 'r');
  try {
    const manifest = parseManifest(JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')));
    const read = (offset: number, target: Uint8Array): void => {
      for (let at = 0; at < target.length;) {
        const got = readSync(file, target, at, target.length - at, offset + at);
        if (got === 0) throw new Error(`${packageFiles.weights} ends at byte ${offset + at}`);
        at += got;
      }
    };
    return createWasmExecutor(manifest, { read }, engine);
  } finally {
    closeSync(file);
  }
}

/** Milliseconds of the prompt and of the tokens after the first. */
function timed(executor: Executor, promptIds: readonly number[], sha256: Sha256): { prefill: number; decode: number } {
  const options = { executor, promptIds, sampler: { temperature: 0, topK: 0, topP: 1_000_000 }, prfKey: new Uint8Array(32), stopIds: [] };
  const start = performance.now();
  let first = 0;
  for (const step of generateSteps({ ...options, maxTokens: TOKENS, sha256 }))
    if (step.type === 'token' && step.index === 0) first = performance.now();
  return { prefill: first - start, decode: performance.now() - first };
}

const started = performance.now();
const executor = open(process.argv[2]);
const { vocabulary, context } = executor.manifest.graph;
process.stdout.write(`loaded in ${(performance.now() - started).toFixed(0)} ms; ${executor.backend}, 1 thread, Node ${process.version}\n`);
const promptIds = Array.from({ length: Math.min(PROMPT, context - TOKENS) }, (_, i) => (i * 7919) % vocabulary);
generate({
  executor,
  promptIds: promptIds.slice(0, 40),
  sampler: { temperature: 0, topK: 0, topP: 1_000_000 },
  prfKey: new Uint8Array(32),
  stopIds: [],
  maxTokens: 8,
});

const zero = new Uint8Array(32);
const variants: [string, Sha256][] = [
  ['commitment by OpenSSL', nodeSha256],
  ['no hashing', () => zero],
];
const best = variants.map(() => ({ prefill: Infinity, decode: Infinity }));
for (let round = 0; round < 3; round++) {
  for (const [i, [, sha256]] of variants.entries()) {
    const now = timed(executor, promptIds, sha256);
    best[i] = { prefill: Math.min(best[i]!.prefill, now.prefill), decode: Math.min(best[i]!.decode, now.decode) };
  }
}
for (const [i, [name]] of variants.entries()) {
  const { prefill, decode } = best[i]!;
  process.stdout.write(
    `${name.padEnd(22)} prefill ${((1000 * promptIds.length) / prefill).toFixed(1)} tok/s (${promptIds.length} tokens)   decode ${((1000 * (TOKENS - 1)) / decode).toFixed(1)} tok/s (positions ${promptIds.length} to ${promptIds.length + TOKENS})\n`,
  );
}
process.stdout.write(`overhead of the commitment in decode: ${(100 * (best[0]!.decode / best[1]!.decode - 1)).toFixed(2)} %\n`);
