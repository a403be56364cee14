import { channelsClient, settlementClient } from '@commonweight/chain';
import { type Address, CommonweightError, type Domain, type Hex, type Hex32, addressOfKey } from '@commonweight/protocol';
import { startHttpServer } from '../http/http-server.ts';
import { type Clock, systemClock } from '../platform/clock.ts';
import { connectDeployed } from '../platform/connect-deployed.ts';
import { readKeyFile } from '../platform/key-file.ts';
import { Lifetime } from '../platform/lifetime.ts';
import { randomHex } from '../platform/random.ts';
import type { GatewayConfig } from './config.ts';
import { createApp } from './http/app.ts';
import type { PostedBatch } from './http/receipt-route.ts';
import { type GatewayLog, createGatewayLog } from './log.ts';
import { ReceiptChains } from './check/receipt-chains.ts';
import { NodeDirectory, type RegisteredNode } from './network/node-directory.ts';
import { probe } from './network/probe.ts';
import { WorkerClient } from './network/worker-client.ts';
import { FreePayments } from './pay/free-payments.ts';
import { openPayments } from './pay/open-payments.ts';
import { paymentChain } from './pay/payment-chain.ts';
import type { PaymentChain } from './pay/run-price.ts';
import { Completer } from './run/complete.ts';
import { GatewayStore } from './store/gateway-store.ts';
import type { ChatModel } from './text/chat-model.ts';
import { ChatModels } from './text/chat-models.ts';
import { openChatModel } from './text/open-chat-model.ts';

/** What a gateway reads from the chain. */
export interface GatewayChain {
  readonly domain: Domain;
  readonly listNodes: () => Promise<readonly RegisteredNode[]>;
  readonly batch: (node: Address, index: number) => Promise<PostedBatch | undefined>;
  /** Absent where there is nothing to pay with: then only free nodes are asked. */
  readonly payments?: Pick<PaymentChain, 'splitterOf' | 'balanceOf'>;
}

export interface GatewayDependencies {
  /** Default: the contracts of the configuration's chain. */
  readonly chain?: GatewayChain;
  /** Default: tokenizer and chat template of the package in the folder. */
  readonly openModel?: (packageDir: string) => Promise<ChatModel>;
  readonly clock?: Clock;
  /** `bytes` random bytes. */
  readonly draw?: (bytes: number) => Hex;
  readonly log?: GatewayLog;
}

export interface RunningGateway extends AsyncDisposable {
  /** With the port that was chosen; the API is under `/v1`. */
  readonly url: string;
  /** Account that signs requests. */
  readonly payer: Address;
  /** Answers in progress are given a few seconds. May be called twice. */
  readonly stop: () => Promise<void>;
  /** Resolves when everything is closed. */
  readonly closed: Promise<void>;
}

/**
 * Starts a gateway. Resolves when it serves; rejects with a CommonweightError (key file, packages, chain not reachable, port taken) and
 * leaves nothing running.
 */
export async function startGateway(
  config: GatewayConfig,
  dependencies: GatewayDependencies = {},
  signal?: AbortSignal,
): Promise<RunningGateway> {
  const lifetime = new Lifetime();
  try {
    const gateway = await assemble(config, dependencies, lifetime, signal);
    const onAbort = (): void => void gateway.stop();
    signal?.addEventListener('abort', onAbort, { once: true });
    lifetime.defer(async () => signal?.removeEventListener('abort', onAbort));
    if (signal?.aborted) onAbort();
    return gateway;
  } catch (error) {
    await lifetime.end();
    throw error;
  }
}

async function assemble(
  config: GatewayConfig,
  { clock = systemClock, draw = systemDraw, ...given }: GatewayDependencies,
  lifetime: Lifetime,
  signal: AbortSignal | undefined,
): Promise<RunningGateway> {
  signal?.throwIfAborted();
  const log = given.log ?? createGatewayLog();
  const key = await readKeyFile(config.payerKeyFile);
  const opened: ChatModel[] = [];
  for (const folder of config.packages) {
    signal?.throwIfAborted();
    const model = await (given.openModel ?? openChatModel)(folder);
    lifetime.defer(() => model.close());
    opened.push(model);
  }
  const models = new ChatModels(opened);
  const chain = given.chain ?? (await connect(config, clock, signal));
  const store = await GatewayStore.open(config.dataDir);
  signal?.throwIfAborted();

  const client = new WorkerClient({ allowLoopback: config.allowLoopback, clock });
  lifetime.defer(() => client.close());
  const directory = new NodeDirectory({
    listNodes: chain.listNodes,
    probe: (node, url) => probe(client, node, url),
    allowLoopback: config.allowLoopback,
    caps: config,
    clock,
    onPriceRefused: (node, model, { code }) => log.warn('price_refused', { node, model, code }),
    onChainFailure: (error) => log.warn('chain_failed', { code: error instanceof CommonweightError ? error.code : 'unexpected' }),
  });
  await directory.refresh();

  const payer = {
    address: addressOfKey(key),
    key,
    domain: chain.domain,
  };
  const draw32 = (): Hex32 => draw(32);
  const chains = new ReceiptChains(store, payer.address, payer.domain);
  const free = new FreePayments({ payer: payer.address, billed: (node, account) => chains.of(node).billed(account) });
  const payments = await openPayments(
    { config, key, chain: chain.payments && paymentChain(chain.payments, chain.domain.chainId), free, clock, draw32, log },
    lifetime,
  );
  const completer = new Completer({ payer, client, directory, store, chains, clock, draw32, log });
  const startedAt = Math.floor(clock.now() / 1000);
  const { allowedHosts } = config;
  const app = createApp({
    models,
    completer,
    payments,
    clock,
    draw,
    store,
    directory,
    client,
    batch: chain.batch,
    allowedHosts,
    log,
    startedAt,
  });
  const server = await startHttpServer(app, config.listen, clock);
  lifetime.defer(() => server.stop());
  lifetime.defer(() => completer.stop());
  log.info('started', { url: server.url, payer: payer.address });

  const stop = async (): Promise<void> => {
    await lifetime.end();
    log.info('stopped');
  };
  return { url: server.url, payer: payer.address, stop, closed: lifetime.closed, [Symbol.asyncDispose]: stop };
}

const systemDraw = (bytes: number): Hex => `0x${randomHex(bytes)}`;

async function connect({ chain: deployed }: GatewayConfig, clock: Clock, signal: AbortSignal | undefined): Promise<GatewayChain> {
  const chain = await connectDeployed(deployed, clock, signal);
  const settlement = settlementClient(chain.rpc, chain.deployments.settlement);
  const channels = channelsClient(chain.rpc);
  return {
    domain: chain.domain,
    listNodes: async () => (await chain.listNodes()).filter((node) => node.active),
    batch: (node, index) => chain.batch(node, index),
    payments: {
      splitterOf: (node, modelId) => settlement.splitterOf(node, modelId),
      balanceOf: async (channel) => (await channels.channel(channel)).balance,
    },
  };
}
