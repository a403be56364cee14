import process from 'node:process';
import { startWorker } from '../../packages/node/src/worker/start-worker.ts';
import { openThreadEngine } from '../../packages/node/src/worker/engine-thread-host.ts';
import type { EngineHost } from '../../packages/node/src/worker/engine-host.ts';
import { systemClock } from '../../packages/node/src/platform/clock.ts';
import { RecordingLog } from '../../packages/node/src/worker/testing/recording-log.ts';
import { KeyPayer } from '../../packages/node/src/payments/testing/key-payer.ts';
import { type BenchNetwork, PRICES } from './network.ts';
import { answer, due, parallelRuns } from './parallel.ts';

export interface ParallelResult {
  readonly requests: number;
  /** Answers whose money did not arrive, and requests without an answer. */
  readonly lost: number;
  /** Requests that were answered or paid twice. */
  readonly double: number;
  readonly milliseconds: number;
}

const STREAMS = 40;

/** So many paid requests at once, and the money that arrived for them. */
export async function measureParallel(bench: BenchNetwork, requests: number): Promise<ParallelResult> {
  const { network, modelId } = bench;
  await using worker = await startWorker(await bench.worker('parallel'), { log: new RecordingLog() });
  await network.stake(worker.nodeId, 10n ** 24n);
  const payer = await KeyPayer.create(network, { url: worker.url, node: worker.nodeId, modelId, ...PRICES });
  const splitter = await bench.splitterOf(worker.nodeId);

  const began = performance.now();
  const answered = await parallelRuns(worker.url, payer, requests);
  const milliseconds = performance.now() - began;
  const refused = answered.filter(({ refusal }) => refusal !== undefined);
  for (const { refusal } of refused.slice(0, 3)) process.stderr.write(`refused: ${refusal}\n`);
  const owed = answered.reduce((sum, each) => sum + due(each), 0n);
  const ids = answered.flatMap(({ receipts }) => receipts.map(({ receipt }) => receipt.requestHash));
  const arrived = await settled(() => bench.received(splitter), owed);
  const twice = ids.length - new Set(ids).size + (arrived > owed ? 1 : 0);
  const lost = answered.filter(({ receipts }) => receipts.length === 0).length + (arrived < owed ? 1 : 0);
  process.stderr.write(`${answered.length} answers, ${owed} owed, ${arrived} arrived, ${milliseconds.toFixed(0)} ms\n`);

  return { requests, lost, double: twice, milliseconds: round(milliseconds) };
}

/** From the model's first token to the reader, in milliseconds: the 95th percentile of paid streams one after the other. */
export async function measureFirstByte({ network, modelId, worker: configure }: BenchNetwork): Promise<number> {
  const log = new RecordingLog();
  let firstToken = 0;
  const config = await configure('streams', { payments: {} });
  // in this process, so that the engine's first token and the reader's have one clock
  await using worker = await startWorker(config, {
    log,
    openEngine: async (folder, settings) =>
      withFirstToken(await openThreadEngine(folder, { settings, log, clock: systemClock }), () => (firstToken = performance.now())),
  });
  const payer = await KeyPayer.create(network, { url: worker.url, node: worker.nodeId, modelId, ...PRICES });
  await answer(worker.url, payer.voucher(1, 10n ** 10n));
  const delays: number[] = [];
  for (let i = 0; i < STREAMS; i++) {
    const ask = [payer.voucher(5), payer.single('exact', 5), payer.single('upto', 5)][i % 3]!;
    const { firstToken: read, refusal } = await answer(worker.url, ask);
    if (read === undefined) throw new Error(`a paid stream gave no token: ${refusal}`);
    delays.push(read - firstToken);
  }
  delays.sort((a, b) => a - b);
  process.stderr.write(`first byte: median ${round(delays[STREAMS / 2]!)} ms, highest ${round(delays.at(-1)!)} ms\n`);
  return round(delays[Math.floor(0.95 * STREAMS)]!);
}

/** The sum when it has reached `expected`, or when it has not for a minute. */
export async function settled(read: () => Promise<bigint>, expected: bigint): Promise<bigint> {
  for (let attempt = 0; ; attempt++) {
    const sum = await read();
    if (sum >= expected || attempt === 300) return sum;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

const withFirstToken = (engine: EngineHost, first: () => void): EngineHost => ({
  manifest: engine.manifest,
  modelId: engine.modelId,
  status: () => engine.status(),
  close: () => engine.close(),
  run: (job, events, signal) =>
    engine.run(
      job,
      {
        ...events,
        onToken: (index, id, logprobs) => {
          if (index === 0) first();
          events.onToken(index, id, logprobs);
        },
      },
      signal,
    ),
});

const round = (value: number): number => Math.round(10 * value) / 10;
