import { join } from 'node:path';
import {
  type Address,
  type CommonweightError,
  type Hex32,
  type ModelId,
  type Receipt,
  addressOfKey,
  signDigest,
} from '@commonweight/protocol';
import { Ledger } from '../journal/ledger.ts';
import { workerLimits } from '../limits.ts';
import { type Clock, systemClock } from '../platform/clock.ts';
import { connectDeployed } from '../platform/connect-deployed.ts';
import { readKeyFile } from '../platform/key-file.ts';
import { openPayments } from '../payments/open-payments.ts';
import { Lifetime } from '../platform/lifetime.ts';
import { BatchPoster } from './batch-poster.ts';
import { ChallengeAnswerer } from './challenge-answerer.ts';
import type { Offer } from './check-run.ts';
import type { WorkerConfig } from './config.ts';
import { DigestStore } from './digest-store.ts';
import type { EngineHost, EngineSettings, OpenEngine } from './engine-host.ts';
import { openThreadEngine } from './engine-thread-host.ts';
import { createHttpApp } from './http-app.ts';
import { startHttpServer } from '../http/http-server.ts';
import { parseUrl } from '../http/parse-url.ts';
import { type WorkerLog, createWorkerLog } from './log.ts';
import { PriceGrace } from './price-grace.ts';
import { RunQueue } from './run-queue.ts';
import { RunService } from './run-service.ts';

export interface WorkerDependencies {
  /** Default: the WASM engine in a thread of its own. */
  readonly openEngine?: OpenEngine;
  /** Last change of a receipt before it is signed. Production passes none; tests of lying nodes do. */
  readonly beforeSign?: (receipt: Receipt) => Receipt;
  readonly clock?: Clock;
  readonly log?: WorkerLog;
}

export interface RunningWorker extends AsyncDisposable {
  /** The operator's address. */
  readonly nodeId: Address;
  readonly url: string;
  /** Ends runs, closes the journal. Receipts that are not on chain yet are posted after the next start. May be called twice. */
  readonly stop: () => Promise<void>;
  /** Resolves when everything is closed; rejects when the worker had to stop by itself: journal not writable, engine gone, chain and journal in contradiction. */
  readonly closed: Promise<void>;
}

/**
 * Starts a worker: journal, engines, registration on chain, HTTP. Resolves when it serves.
 * Rejects with a CommonweightError (journal damaged or locked, model not what its manifest says, chain not reachable) and leaves nothing running.
 */
export async function startWorker(
  config: WorkerConfig,
  dependencies: WorkerDependencies = {},
  signal?: AbortSignal,
): Promise<RunningWorker> {
  const lifetime = new Lifetime();
  try {
    const worker = await assemble(config, dependencies, lifetime, signal);
    const onAbort = (): void => void worker.stop();
    signal?.addEventListener('abort', onAbort, { once: true });
    lifetime.defer(async () => signal?.removeEventListener('abort', onAbort));
    if (signal?.aborted) onAbort();
    return worker;
  } catch (error) {
    await lifetime.end();
    throw error;
  }
}

async function assemble(
  config: WorkerConfig,
  { openEngine, beforeSign, clock = systemClock, log: givenLog }: WorkerDependencies,
  lifetime: Lifetime,
  signal: AbortSignal | undefined,
): Promise<RunningWorker> {
  signal?.throwIfAborted();
  const operatorKey = await readKeyFile(config.operatorKeyFile);
  const sessionKey = await readKeyFile(config.sessionKeyFile);
  const node = addressOfKey(operatorKey);
  const sign = (digest: Hex32) => signDigest(digest, sessionKey);
  const log = givenLog ?? createWorkerLog(node);
  // models load while the chain answers
  const opening = openEngines(config, { openEngine, log, clock }, signal);
  lifetime.defer(async () => await closeEngines(await opening.catch(() => new Map<ModelId, EngineHost>())));
  const chain = await connectDeployed(config.chain, clock, signal, operatorKey);

  const { ledger, records, tornBytes } = await Ledger.open({
    folder: config.dataDir,
    identity: { node, domain: chain.domain },
    sign,
    ...(beforeSign && { beforeSign }),
  });
  lifetime.defer(() => ledger.close());
  if (tornBytes > 0) log.warn('journal_torn_tail', { bytes: tornBytes });
  log.info('journal_replayed', { records, receipts: ledger.state.receipts });
  const digests = await DigestStore.open(join(config.dataDir, 'digests'));

  const engines = await opening;
  const grace = new PriceGrace((await chain.nodeInfo(node))?.prices ?? [], clock);
  const offer: Offer = {
    node,
    domain: chain.domain,
    promptPrice: BigInt(config.promptPrice),
    completionPrice: BigInt(config.completionPrice),
    asset: config.asset,
    earlierPrices: grace.of,
    manifestOf: (modelId) => engines.get(modelId)?.manifest,
  };
  const answerer = new ChallengeAnswerer({ node, ledger, chain, log });
  const poster = new BatchPoster({
    node,
    ledger,
    chain,
    clock,
    log,
    intervalMs: config.batchIntervalMs,
    also: () => answerer.step(),
  });
  const queue = new RunQueue({ slots: config.slots, limit: config.queueLimit });
  const fail = (error: CommonweightError): void => {
    log.error('failed', { code: error.code, reason: error.message });
    void lifetime.end(error);
  };
  const models = [...engines.keys()];
  let url = config.endpoint ?? '';
  const isFree = offer.promptPrice === 0n && offer.completionPrice === 0n;
  const payments = isFree ? undefined : await openPayments({ config, node, chain, ledger, models, url: () => url, clock, log });
  if (payments) lifetime.defer(payments.close);
  const cashier = payments && { cashier: payments.cashier };
  const service = new RunService({ offer, engines, ledger, sign, digests, queue, clock, log, fail, ...cashier });

  // what the chain and the journal say is compared before the first signature
  await poster.compare();
  // gateways ask under the registered endpoint, or by address
  const hosts = [config.listen.host, parseUrl(config.endpoint ?? '')?.hostname ?? ''].filter((name) => name !== '');
  const app = createHttpApp({ node, offer, service, queue, ledger, digests, engines, hosts, log });
  const server = await startHttpServer(app, config.listen, clock);
  lifetime.defer(() => server.stop());
  lifetime.defer(() => service.stop());
  const endpoint = config.endpoint ?? server.url;
  url = endpoint;
  const { promptPrice, completionPrice, asset } = offer;
  const prices = models.map((modelId) => ({ modelId, asset, promptPrice, completionPrice }));
  const transactions = await chain.registerNode({ sessionPrivateKey: sessionKey, endpoint, prices });
  grace.changed();
  log.info('node_registered', { endpoint, transactions });

  const posting = new AbortController();
  const posted = Promise.all([poster.run(posting.signal, fail), payments?.run(posting.signal)]);
  lifetime.defer(async () => {
    posting.abort();
    // a transaction under way may take a minute; whether it went through is asked at the next start
    const late = new AbortController();
    await Promise.race([posted, clock.sleep(workerLimits.stopMs, late.signal)]);
    late.abort();
  });
  log.info('started', { url: server.url });

  const stop = async (): Promise<void> => {
    await lifetime.end();
    log.info('stopped');
  };
  return { nodeId: node, url: server.url, stop, closed: lifetime.closed, [Symbol.asyncDispose]: stop };
}

interface EngineOpening {
  readonly openEngine: OpenEngine | undefined;
  readonly log: WorkerLog;
  readonly clock: Clock;
}

/** All models of the configuration; when one cannot be opened, those before it are closed again. */
async function openEngines(
  { packages, backend, threads, slots, kvBytes, prefixCacheBytes }: WorkerConfig,
  { openEngine, log, clock }: EngineOpening,
  signal: AbortSignal | undefined,
): Promise<Map<ModelId, EngineHost>> {
  const engines = new Map<ModelId, EngineHost>();
  const settings: EngineSettings = { backend, threads, slots, kvBytes, prefixCacheBytes };
  try {
    for (const folder of packages) {
      signal?.throwIfAborted();
      const engine = await (openEngine ?? ((dir: string) => openThreadEngine(dir, { settings, log, clock })))(folder, settings);
      engines.set(engine.modelId, engine);
      log.info('engine_ready', { model: engine.modelId });
    }
    return engines;
  } catch (error) {
    await closeEngines(engines);
    throw error;
  }
}

async function closeEngines(engines: ReadonlyMap<ModelId, EngineHost>): Promise<void> {
  for (const engine of engines.values()) await engine.close();
}
