import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { type Receipt, addressOfKey, parseFrame, parseReceipt, receiptAmount, requestHashOf } from '@commonweight/protocol';
import { readKeyFile } from '../../packages/node/src/platform/key-file.ts';
import { KeyPayer, type PaidAsk } from '../../packages/node/src/payments/testing/key-payer.ts';
import { post } from '../../packages/node/src/payments/testing/stock-payer.ts';
import { settled } from './measure-parallel.ts';
import { type BenchNetwork, PRICES } from './network.ts';

/** Every record that moves money or promises work, and every step of writing one. */
const RECORDS = ['reserved', 'receipt', 'charged', 'deposited', 'settled', 'claimed', 'covered'];
const STEPS = ['before-write', 'in-payload', 'before-sync', 'after-sync'];
/** Milliseconds until a worker has to have reached its crash point. */
const PATIENCE = 60_000;

export interface CrashResult {
  /** Different places at which the worker was killed. */
  readonly crashPoints: number;
  readonly crashLost: number;
  readonly crashDouble: number;
}

/** Of a worker that died while it was starting. */
const NOBODY = 'http://127.0.0.1:9';

const program = fileURLToPath(new URL('paid-worker.mjs', import.meta.url));

/** Kills a worker at every crash point, `repeat` times; each is started again on the books of the one before it. */
export async function measureCrashes(bench: BenchNetwork, repeat: number): Promise<CrashResult> {
  const { network, modelId } = bench;
  const config = await bench.worker('crashing');
  // every process serves at one address: a client that asks again finds the one that was started after the crash
  const file = join(network.folder, 'crashing.json');
  await writeFile(file, JSON.stringify(config));
  await mkdir(config.dataDir, { recursive: true });
  const node = addressOfKey(await readKeyFile(config.operatorKeyFile));
  await network.stake(node, 10n ** 24n);
  const splitter = await bench.splitterOf(node);
  const jobs = new Jobs();

  let child = await start(file);
  const payer = await KeyPayer.create(network, { url: child.url, node, modelId, ...PRICES });
  await jobs.run(child.url, [payer.voucher(1, 10n ** 11n)]);
  const points = RECORDS.flatMap((record) => STEPS.map((step) => [record, step] as const));
  const began = performance.now();
  for (let round = 0; round < repeat; round++) {
    for (const [record, step] of points) {
      await stop(child);
      child = await start(file, record, step, String(1 + (round % 2)));
      const asks = [
        payer.voucher(1 + (round % 5)),
        payer.voucher(2, 10n ** 6n),
        payer.single('exact', 3),
        payer.single('upto', 1 + (round % 3)),
      ];
      // what an earlier process did not answer is asked again, in the same words
      await Promise.race([child.died, jobs.run(child.url, [...jobs.open, ...asks])]);
      if (!(await within(PATIENCE, child.died))) throw new Error(`the worker never reached ${record} ${step}`);
    }
    process.stderr.write(`crash round ${round + 1} of ${repeat}, ${((performance.now() - began) / 1000).toFixed(0)} s\n`);
  }
  await stop(child);
  child = await start(file);
  if (child.url === NOBODY) throw new Error('the worker did not start on its books: BENCH_WORKER_LOG=1 shows why');
  try {
    await jobs.run(child.url, jobs.open);
    const receipts = await jobs.receipts(child.url);
    const owed = receipts.reduce((sum, { ask, receipt }) => sum + (ask.scheme === 'exact' ? ask.maximum : receiptAmount(receipt)), 0n);
    const arrived = await settled(() => bench.received(splitter), owed);
    // a second payment would come a little later
    await new Promise((resolve) => setTimeout(resolve, 2000));
    const total = await bench.received(splitter);
    process.stderr.write(`${jobs.total} requests, ${receipts.length} receipts, ${owed} owed, ${total} arrived\n`);
    const shown = jobs.shown.filter((hash) => !receipts.some(({ receipt }) => receipt.requestHash === hash)).length;
    return {
      crashPoints: points.length,
      crashLost: jobs.total - receipts.length + shown + (arrived < owed ? 1 : 0),
      crashDouble: total > owed ? 1 : 0,
    };
  } finally {
    await stop(child);
  }
}

/** Requests and what became of them, from the payer's side. */
class Jobs {
  readonly #asks = new Map<string, PaidAsk>();
  readonly #shown = new Set<string>();

  get total(): number {
    return this.#asks.size;
  }

  /** Requests whose receipt the payer has seen. */
  get shown(): string[] {
    return [...this.#shown];
  }

  get open(): PaidAsk[] {
    return [...this.#asks].flatMap(([hash, ask]) => (this.#shown.has(hash) ? [] : [ask]));
  }

  async run(url: string, asks: readonly PaidAsk[]): Promise<void> {
    await Promise.all(asks.map((ask) => this.#run(url, ask)));
  }

  async #run(url: string, ask: PaidAsk): Promise<void> {
    const hash = requestHashOf(ask.run.request);
    this.#asks.set(hash, ask);
    try {
      const response = await post(url, ask.run, ask.header);
      const last = parseFrame(JSON.parse((await response.text()).trim().split('\n').at(-1)!));
      // `replay`: an earlier process signed the receipt and died before it was read
      if (last.type === 'receipt' || (last.type === 'error' && last.code === 'replay')) this.#shown.add(hash);
    } catch {
      // the worker died: the request is asked again
    }
  }

  /** The node's receipt for every request. */
  async receipts(url: string): Promise<{ readonly ask: PaidAsk; readonly receipt: Receipt }[]> {
    const found: { ask: PaidAsk; receipt: Receipt }[] = [];
    for (const ask of this.#asks.values()) {
      const replay = (await (await post(url, ask.run, ask.header)).json()) as { code?: string; message?: string };
      const digest = /receipt (0x[0-9a-f]{64})/.exec(replay.message ?? '')?.[1];
      if (digest === undefined) {
        process.stderr.write(`no receipt: ${JSON.stringify(replay)}\n`);
        continue;
      }
      const { receipt } = (await (await fetch(`${url}/v1/receipts/${digest}`)).json()) as { receipt: unknown };
      found.push({ ask, receipt: parseReceipt(receipt) });
    }
    return found;
  }
}

interface Started {
  readonly process: ChildProcess;
  readonly url: string;
  readonly died: Promise<true>;
}

async function start(...args: string[]): Promise<Started> {
  const child = spawn(process.execPath, [program, ...args], {
    stdio: ['ignore', 'pipe', process.env['BENCH_WORKER_LOG'] ? 'inherit' : 'ignore'],
  });
  const died = once(child, 'exit').then(() => true as const);
  const url = once(createInterface(child.stdout), 'line').then(([line]) => String(line));
  const first = await Promise.race([url, died]);
  // killed while it was starting: nobody was served
  return { process: child, url: first === true ? NOBODY : first, died };
}

async function stop({ process: child, died }: Started): Promise<void> {
  child.kill('SIGKILL');
  await died;
}

const within = (ms: number, event: Promise<true>): Promise<boolean> =>
  new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), ms);
    void event.then(() => {
      clearTimeout(timer);
      resolve(true);
    });
  });
