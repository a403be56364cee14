// The native engine beside WASM on one thread, same weights, interleaved in one run: `npm run bench:native -- PACKAGE_FOLDER [ROUNDS] [LEVEL ...]`.
import { type Executor, createWasmExecutor, generateSteps, reexecute } from '@commonweight/engine';
import { type NativeLevel, createNativeExecutor, loadEngineWasm, loadNativeAddon, nodeSha256 } from '@commonweight/engine/node';
import { openPackage } from '@commonweight/models';
import { toHex, samplerSettings } from '@commonweight/protocol';
import process from 'node:process';

const PROMPT = 256;
const TOKENS = 128;
const [folder, rounds = '5', ...levels] = process.argv.slice(2);
if (folder === undefined) throw new Error('expected the folder of a model package');
const addon = loadNativeAddon();
if (addon === undefined) throw new Error('the native engine is not built: npm run build:native');

const model = await openPackage(folder);
const { manifest } = model;
const executors: readonly Executor[] = [
  createWasmExecutor(manifest, model.weights(), loadEngineWasm()),
  ...(levels.length > 0 ? (levels as NativeLevel[]) : addon.levels.slice(0, 1)).map((level) =>
    createNativeExecutor(manifest, model.weights(), addon, level),
  ),
];
await model.close();

const run = { sampler: samplerSettings(), prfKey: new Uint8Array(32), sha256: nodeSha256 };
const promptIds = Array.from({ length: PROMPT }, (_, i) => (i * 7919) % manifest.graph.vocabulary);

interface Round {
  readonly prefill: number;
  readonly decode: number;
  readonly reexecution: number;
  readonly root: string;
}

/** Milliseconds of the prompt, of the tokens after the first, and of running all of it again as a prefill. */
function round(executor: Executor): Round {
  const start = performance.now();
  let first = 0;
  const steps = generateSteps({ ...run, executor, promptIds, stopIds: [], maxTokens: TOKENS });
  let step = steps.next();
  for (; !step.done; step = steps.next()) if (step.value.type === 'token' && step.value.index === 0) first = performance.now();
  const end = performance.now();
  const { completionIds, commitment } = step.value;
  const again = reexecute({ ...run, executor, promptIds, completionIds });
  const reexecution = performance.now() - end;
  const root = toHex(commitment.root());
  if (toHex(again.commitment.root()) !== root || again.sampledIds.join() !== completionIds.join()) {
    throw new Error(`${executor.backend}: re-execution differs from generation`);
  }
  return { prefill: first - start, decode: end - first, reexecution, root };
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1]!;
const measured = executors.map((): Round[] => []);
for (const executor of executors) round(executor);
for (let i = 0; i < Number(rounds); i++) {
  for (const [e, executor] of executors.entries()) measured[e]!.push(round(executor));
}
const roots = new Set(measured.flat().map(({ root }) => root));
if (roots.size !== 1) throw new Error(`expected one root from all back ends, got ${[...roots].join(', ')}`);
process.stdout.write(
  `${rounds} rounds, medians; ${PROMPT} prompt and ${TOKENS} generated tokens, commitment on, one root ${[...roots][0]}\n`,
);
for (const [e, executor] of executors.entries()) {
  const of = (value: (one: Round) => number): number => median(measured[e]!.map(value));
  const line = [
    executor.backend.padEnd(14),
    `decode ${((1000 * (TOKENS - 1)) / of((one) => one.decode)).toFixed(1)} tok/s`,
    `prefill ${((1000 * PROMPT) / of((one) => one.prefill)).toFixed(1)} tok/s`,
    `re-execution ${(100 * of((one) => one.reexecution / (one.prefill + one.decode))).toFixed(1)} % of generation`,
  ];
  process.stdout.write(`${line.join('   ')}\n`);
}

// Token by token in turns, which a busy machine disturbs alike: milliseconds of one decode step with logits after the prompt.
const sequences = executors.map((executor) => {
  const sequence = executor.newSequence(PROMPT + TOKENS);
  executor.forward(sequence, promptIds);
  return sequence;
});
const steps = executors.map((): number[] => []);
for (let i = 0; i < TOKENS; i++) {
  for (const [e, executor] of executors.entries()) {
    const start = performance.now();
    executor.forward(sequences[e]!, [i], { logitsFrom: PROMPT, onLogits: () => {} });
    steps[e]!.push(performance.now() - start);
  }
}
for (const [e, executor] of executors.entries()) {
  const sorted = steps[e]!.toSorted((a, b) => a - b);
  process.stdout.write(
    `${executor.backend.padEnd(14)}   step of decode: median ${median(sorted).toFixed(2)} ms, fastest ${sorted[0]!.toFixed(2)} ms\n`,
  );
}
