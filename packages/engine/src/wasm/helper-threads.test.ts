import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Executor } from '../executor.ts';
import { createKernelExecutor } from '../kernels/kernel-executor.ts';
import { buildTinyModel } from '../testing/tiny-model.ts';
import { withConstantChanged } from '../testing/with-constant-changed.ts';
import { HelperThreads } from './helper-threads.node.ts';
import { type EngineInstance, instantiate } from './kernels.ts';
import { engineWasmFile, loadEngineWasm } from './load-engine-wasm.node.ts';
import { wasmHost } from './wasm-host.ts';
import { type EngineModule, webAssembly } from './web-assembly.ts';

const module = loadEngineWasm();
const { manifest, source } = buildTinyModel();
/** Places among the words of the structs `team` and `worker` of kernels/team.h. */
const PATIENCE = 1;
const SCRATCH = 2;

interface Team {
  readonly engine: EngineInstance;
  readonly workers: readonly number[];
  readonly helpers: HelperThreads;
  readonly executor: Executor;
}

/** An executor of two threads, all parts in hand. */
function openTeam(helperModule: EngineModule = module): Team {
  const engine = instantiate(module);
  const host = wasmHost(manifest, source, engine, 2);
  const helpers = new HelperThreads(engine, helperModule, host.workers);
  return { engine, workers: host.workers, helpers, executor: createKernelExecutor(manifest, host) };
}

const setPatience = ({ engine: { memory }, workers }: Team, seconds: number): void => {
  memory.int32(memory.int32(workers[0]!, 1)[0]!, PATIENCE + 1)[PATIENCE] = seconds;
};
const expectRetryable = (run: () => void): void => {
  expect(run).toThrow(expect.objectContaining({ code: 'engine-thread', retryable: true }));
};

describe('a thread that helps', () => {
  it('ends with a trap in the middle of a step: the step throws, and so does every later one', () => {
    const team = openTeam();
    const { engine, workers, executor, helpers } = team;
    const sequence = executor.newSequence(20);
    executor.forward(sequence, [1, 2, 3]);
    const ownInput = engine.memory.int32(workers[1]! + 4 * SCRATCH, 9);
    ownInput.fill(-64); // every buffer of the helper ends outside of the memory
    expectRetryable(() => executor.forward(sequence, [4]));
    expect(sequence.length).toBe(3);
    expectRetryable(() => executor.forward(sequence, [4]));
    helpers.close();
  });

  it('is not there any more: the step is given up after a while', () => {
    const team = openTeam();
    setPatience(team, 1);
    const sequence = team.executor.newSequence(20);
    team.executor.forward(sequence, [1, 2, 3]);
    team.helpers.close();
    expectRetryable(() => team.executor.forward(sequence, [4]));
  });

  it('and computes one constant wrong is found before the first step', () => {
    const { bytes, places } = withConstantChanged(new Uint8Array(readFileSync(engineWasmFile)), 94_548n); // log2(e) of SwiGLU
    expect(places).toBeGreaterThan(0);
    const team = openTeam(new webAssembly.Module(bytes));
    expect(() => team.helpers.test()).toThrow(/self-test: expected/);
    team.helpers.close();
    const good = openTeam();
    good.helpers.test();
    good.helpers.close();
  });
});
