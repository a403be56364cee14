import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Clock, systemClock } from '../../platform/clock.ts';
import { type GatewayConfigInput, parseGatewayConfig } from '../config.ts';
import type { GatewayLog } from '../log.ts';
import { type GatewayChain, type RunningGateway, startGateway } from '../start-gateway.ts';
import { domain, keys } from './answer-fixture.ts';
import { byteModel } from './byte-model.ts';
import type { FakeWorker } from './fake-worker.ts';

/** Nothing is logged in tests. */
export const silentLog: GatewayLog = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** Time whose timers can be let run out; otherwise that of the system. */
export class TestClock implements Clock {
  readonly #timers = new Set<{ readonly ms: number; readonly callback: () => void }>();
  readonly #waiting = new Map<number, () => void>();
  #ahead = 0;
  readonly now = (): number => systemClock.now() + this.#ahead;
  readonly sleep = systemClock.sleep;
  readonly after = (ms: number, callback: () => void): (() => void) => {
    const timer = { ms, callback };
    this.#timers.add(timer);
    this.#waiting.get(ms)?.();
    return () => void this.#timers.delete(timer);
  };

  /** Resolves when there is a timer of exactly `ms`. */
  async set(ms: number): Promise<void> {
    if ([...this.#timers].some((timer) => timer.ms === ms)) return;
    await new Promise<void>((resolve) => this.#waiting.set(ms, resolve));
  }

  /** Fires every timer of at most `ms` that is set now. */
  pass(ms: number): void {
    this.#ahead += ms;
    // a callback may set the next timer: that one waits for the next call
    for (const timer of Array.from(this.#timers)) {
      if (timer.ms > ms || !this.#timers.delete(timer)) continue;
      timer.callback();
    }
  }
}

export interface TestGateway extends AsyncDisposable {
  readonly gateway: RunningGateway;
  readonly url: string;
  readonly dataDir: string;
  readonly clock: TestClock;
  readonly post: (body: unknown, init?: RequestInit) => Promise<Response>;
}

/** A gateway over fake workers and a chain that is a list. */
export async function testGateway(
  workers: readonly FakeWorker[],
  chain: Partial<GatewayChain> = {},
  log: GatewayLog = silentLog,
  settings: Partial<GatewayConfigInput> = {},
): Promise<TestGateway> {
  const dataDir = await mkdtemp(join(tmpdir(), 'gateway-'));
  const started = await startIn(dataDir, workers, chain, log, settings);
  return {
    ...started,
    [Symbol.asyncDispose]: async () => {
      await Promise.all([started.gateway.stop(), ...workers.map((worker) => worker.stop())]);
      await rm(dataDir, { recursive: true });
    },
  };
}

/** A gateway over what an earlier one left in `dataDir`; the caller stops it. */
export async function startIn(
  dataDir: string,
  workers: readonly FakeWorker[],
  chain: Partial<GatewayChain> = {},
  log: GatewayLog = silentLog,
  settings: Partial<GatewayConfigInput> = {},
): Promise<Omit<TestGateway, typeof Symbol.asyncDispose>> {
  const payerKeyFile = join(dataDir, 'payer.key');
  await writeFile(payerKeyFile, keys.payer);
  await chmod(payerKeyFile, 0o600);
  const config = parseGatewayConfig({
    role: 'gateway',
    dataDir,
    packages: ['tiny'],
    listen: { host: '127.0.0.1', port: 0 },
    chain: { rpcUrl: 'http://127.0.0.1:1', deploymentsFile: 'unused' },
    payerKeyFile,
    maxPromptPrice: '1000000',
    maxCompletionPrice: '2000000',
    allowLoopback: true,
    ...settings,
  });
  const clock = new TestClock();
  const gateway = await startGateway(config, {
    chain: {
      domain,
      listNodes: async () => workers.map((worker) => worker.registered),
      batch: async (node) => workers.find((worker) => worker.node === node)?.postedBatch(),
      ...chain,
    },
    openModel: async () => byteModel,
    clock,
    log,
  });
  const post = (body: unknown, init: RequestInit = {}): Promise<Response> =>
    fetch(`${gateway.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: typeof body === 'string' ? body : JSON.stringify(body),
      ...init,
    });
  return { gateway, url: gateway.url, dataDir, clock, post };
}
