// Speed of the WASM engine on one thread: `npm run bench:decode [-- PACKAGE_FOLDER]`. Without a folder: random weights in the shape of SmolLM2-135M.
import { type Executor, createWasmExecutor, generate, generateSteps } from '@commonweight/engine';
import { loadEngineWasm, nodeSha256 } from '@commonweight/engine/node';
import { type TinyModelOptions, buildTinyModel } from '@commonweight/engine/testing';
import { ThinCommitment, packageFiles, parseManifest, residualDigest, samplerSettings } from '@commonweight/protocol';
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

const run = { sampler: samplerSettings(), prfKey: new Uint8Array(32), stopIds: [], sha256: nodeSha256 };

/** Milliseconds of the prompt and of the tokens after the first. */
function timed(executor: Executor, promptIds: readonly number[]): { prefill: number; decode: number } {
  const start = performance.now();
  let first = 0;
  for (const step of generateSteps({ ...run, executor, promptIds, maxTokens: TOKENS })) {
    if (step.type === 'token' && step.index === 0) first = performance.now();
  }
  return { prefill: first - start, decode: performance.now() - first };
}

/** Milliseconds that the commitment takes a token, timed apart: as a difference of two runs it drowns in their noise. */
function hashingTime({ manifest: { graph } }: Executor): number {
  const residual = new Uint8Array(4 * graph.width).fill(7);
  const points = graph.commitPoints.length;
  const tokens = (count: number): void => {
    const commitment = new ThinCommitment(points, nodeSha256);
    for (let i = 0; i < count * points; i++) commitment.append(residualDigest(residual, nodeSha256));
  };
  tokens(500);
  const start = performance.now();
  tokens(500);
  return (performance.now() - start) / 500;
}

const started = performance.now();
const executor = open(process.argv[2]);
const { vocabulary, context } = executor.manifest.graph;
process.stdout.write(`loaded in ${(performance.now() - started).toFixed(0)} ms; ${executor.backend}, 1 thread, Node ${process.version}\n`);
const promptIds = Array.from({ length: Math.min(PROMPT, context - TOKENS) }, (_, i) => (i * 7919) % vocabulary);
generate({ ...run, executor, promptIds: promptIds.slice(0, 40), maxTokens: 8 });

const best = { prefill: Infinity, decode: Infinity };
for (let round = 0; round < 3; round++) {
  const now = timed(executor, promptIds);
  best.prefill = Math.min(best.prefill, now.prefill);
  best.decode = Math.min(best.decode, now.decode);
}
const token = best.decode / (TOKENS - 1);
const hashing = hashingTime(executor);
const range = `positions ${promptIds.length} to ${promptIds.length + TOKENS}`;
process.stdout.write(`decode   ${(1000 / token).toFixed(1)} tok/s, commitment on (${range})\n`);
process.stdout.write(
  `prefill  ${((1000 * promptIds.length) / best.prefill).toFixed(1)} tok/s, commitment on (${promptIds.length} tokens)\n`,
);
process.stdout.write(
  `commitment  ${(1000 * hashing).toFixed(0)} us a token, ${((100 * hashing) / (token - hashing)).toFixed(2)} % of decode\n`,
);
