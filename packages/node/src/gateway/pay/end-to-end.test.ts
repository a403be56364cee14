import { cp, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PERMIT2, Submitter, connectRpc, generateKey, testDollarAbi } from '@commonweight/chain';
import { importGguf } from '@commonweight/models';
import { tinyModel } from '@commonweight/models/testing';
import {
  type Address,
  type Bundle,
  type Hex32,
  type PaymentOffer,
  type PaymentResponse,
  addressOfKey,
  parseBundle,
  parsePaymentResponse,
  receiptAmount,
} from '@commonweight/protocol';
import { CommonweightClient, rpcFacts } from '@commonweight/sdk';
import { x402Client } from '@x402/core/client';
import { toClientEvmSigner } from '@x402/evm';
import { BatchSettlementEvmScheme } from '@x402/evm/batch-settlement/client';
import { ExactEvmScheme } from '@x402/evm/exact/client';
import { UptoEvmScheme } from '@x402/evm/upto/client';
import { wrapFetchWithPayment } from '@x402/fetch';
import OpenAI from 'openai';
import { createPublicClient, encodeFunctionData, http } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../platform/clock.ts';
import type { WorkerConfigInput } from '../../worker/config.ts';
import { openThreadEngine } from '../../worker/engine-thread-host.ts';
import { type RunningWorker, type WorkerDependencies, startWorker } from '../../worker/start-worker.ts';
import { type DevNetwork, startDevNetwork } from '../../worker/testing/dev-network.ts';
import { RecordingLog } from '../../worker/testing/recording-log.ts';
import { type GatewayConfig, type GatewayConfigInput, parseGatewayConfig } from '../config.ts';
import type { GatewayLog } from '../log.ts';
import { type RunningGateway, startGateway } from '../start-gateway.ts';
import { holdAfter } from '../testing/hold-after.ts';
import { readKeyFile } from '../../platform/key-file.ts';
import { walletOptions } from './testing/wallet.ts';
import { Wallet } from './wallet.ts';
import { withdrawChannels } from './withdraw-channels.ts';

/** A thousandth of a dollar a prompt token, two for a token of the answer. */
const prices = { promptPrice: '1000000000', completionPrice: '2000000000' };
const TOKENS = 12;
const base = { messages: [{ role: 'user' as const, content: 'hello world, the user' }], max_tokens: TOKENS, temperature: 1, seed: 7 };
/** What one answer may cost at most, with room for the template. */
const CAP = 200_000n;

let network: DevNetwork;
let packageDir: string;
let model: Hex32;
let asset: Address;
let walkIn: Started;
let paying: Started;
interface Started {
  readonly gateway: RunningGateway;
  readonly config: GatewayConfig;
}

const workers: RunningWorker[] = [];
const paid: Readonly<Record<string, unknown>>[] = [];
const write: GatewayLog['info'] = (event, fields = {}) => void (event === 'paid' && paid.push(fields));
const keep: GatewayLog = { info: write, warn: write, error: write };

async function addWorker(name: string, dependencies: WorkerDependencies = {}, change: Partial<WorkerConfigInput> = {}) {
  const log = new RecordingLog();
  const config = await network.worker(name, [packageDir], { asset, ...prices, payments: { claimIntervalMs: 200 }, ...change });
  const worker = await startWorker(config, { ...dependencies, log });
  workers.push(worker);
  return { worker, log };
}

async function addGateway(name: string, payments: GatewayConfigInput['payments'], log: GatewayLog): Promise<Started> {
  const dataDir = join(network.folder, name);
  await mkdir(dataDir);
  const key = generateKey();
  const payerKeyFile = join(dataDir, 'payer.key');
  await writeFile(payerKeyFile, key, { mode: 0o600 });
  await network.fundDollars(addressOfKey(key), 10n ** 9n);
  const chain = { rpcUrl: network.dev.rpcUrl, deploymentsFile: join(network.folder, 'deployments.json') };
  const caps = { asset, maxPromptPrice: prices.promptPrice, maxCompletionPrice: prices.completionPrice };
  const listen = { host: '127.0.0.1' as const, port: 0 };
  const rest = { dataDir, packages: [packageDir], listen, chain, payerKeyFile, allowLoopback: true };
  const config = parseGatewayConfig({ role: 'gateway', ...rest, ...caps, ...(payments && { payments }) });
  return { gateway: await startGateway(config, { log }), config };
}

beforeAll(async () => {
  network = await startDevNetwork();
  asset = network.chain.deployments.testDollar!;
  const gguf = join(network.folder, 'tiny.gguf');
  await writeFile(gguf, tinyModel({ layers: 2 }));
  const imported = await importGguf({ path: gguf, outDir: join(network.folder, 'models') });
  packageDir = imported.dir;
  model = imported.modelId;
  await addWorker('a');
  const ignore = (): void => undefined;
  walkIn = await addGateway('walk-in', { mode: 'client' }, { info: ignore, warn: ignore, error: ignore });
  const caps = { maxPerRequest: String(CAP), maxPerDay: String(10n ** 9n), maxDeposit: '5000000', depositStep: '1000000' };
  paying = await addGateway('paying', { mode: 'wallet', ...caps }, keep);
}, 240_000);

afterAll(async () => {
  await Promise.all([walkIn?.gateway.stop(), paying?.gateway.stop()]);
  await Promise.all(workers.map((worker) => worker.stop()));
  await network?.stop();
});

/** A key with dollars that pays with the stock client of one scheme. */
async function stockFetch(scheme: PaymentOffer['scheme']): Promise<{ pay: typeof fetch; address: Address; statuses: number[] }> {
  const key = generateKey();
  const address = addressOfKey(key);
  await network.dev.fund(address, 10n ** 18n);
  await network.fundDollars(address, 10n ** 8n);
  if (scheme === 'upto') {
    const submitter = new Submitter({ rpc: connectRpc(network.dev.rpcUrl, network.dev.chainId), privateKey: key });
    const data = encodeFunctionData({ abi: testDollarAbi, functionName: 'approve', args: [PERMIT2, 2n ** 256n - 1n] });
    await submitter.send({ to: asset, data });
  }
  const signer = toClientEvmSigner(privateKeyToAccount(key), createPublicClient({ transport: http(network.dev.rpcUrl), cacheTime: 0 }));
  const schemes = { exact: ExactEvmScheme, upto: UptoEvmScheme, 'batch-settlement': BatchSettlementEvmScheme };
  const client = x402Client.fromConfig({
    schemes: [{ network: `eip155:${network.dev.chainId}`, client: new schemes[scheme](signer) }],
    spendControls: false,
  });
  const statuses: number[] = [];
  const counted: typeof fetch = async (...args) => {
    const response = await fetch(...args);
    statuses.push(response.status);
    return response;
  };
  return { pay: wrapFetchWithPayment(counted, client) as typeof fetch, address, statuses };
}

const post = (send: typeof fetch, { gateway }: Started, fields: Record<string, unknown> = {}, init: RequestInit = {}): Promise<Response> =>
  send(`${gateway.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ ...base, model, ...fields }),
    ...init,
  });

/** Reads a stream as strictly as the standard allows: every line is an event's data, a comment or empty. */
async function readStream(response: Response): Promise<{ text: string; bundle: Bundle; settlement: PaymentResponse | undefined }> {
  const body = await response.text();
  if (response.status !== 200) throw new Error(`${response.status}: ${body}`);
  const lines = body.split('\n');
  expect(lines.filter((line) => !/^(?:|: .*|data: .*)$/.test(line))).toEqual([]);
  const data = lines.filter((line) => line.startsWith('data: ')).map((line) => line.slice(6));
  expect(data.pop()).toBe('[DONE]');
  const chunks = data.map(
    (item) => JSON.parse(item) as { choices: { delta: { content?: string } }[]; receipt?: unknown; payment_response?: string },
  );
  const last = chunks.at(-1)!;
  return {
    text: chunks.map(({ choices }) => choices[0]?.delta.content ?? '').join(''),
    bundle: parseBundle(last.receipt),
    settlement: last.payment_response === undefined ? undefined : parsePaymentResponse(last.payment_response),
  };
}

describe('a walk-in client with stock software', () => {
  test.each(['exact', 'upto', 'batch-settlement'] as const)('@x402/fetch pays for streams: %s', async (scheme) => {
    const { pay, address, statuses } = await stockFetch(scheme);
    const before = await network.balanceOf(address);
    let charged = 0n;
    for (let i = 0; i < 3; i++) {
      const { text, bundle, settlement } = await readStream(await post(pay, walkIn, { stream: true }));
      const amount = receiptAmount(bundle.receipt);
      expect(text.length).toBeGreaterThan(0);
      expect([bundle.request.asset, amount > 0n]).toEqual([asset, true]);
      expect(settlement).toMatchObject({ success: true, payer: expect.stringMatching(new RegExp(address, 'i')) as string });
      charged += scheme === 'exact' ? BigInt(settlement!.amount!) : amount;
      if (scheme === 'batch-settlement') expect(bundle.receipt.cumulativeAmount).toBe(charged);
    }
    // a stock client learns of a channel's charges from headers alone, so each later stream of it is corrected once
    expect(statuses).toEqual(scheme === 'batch-settlement' ? [402, 200, 402, 402, 200, 402, 402, 200] : [402, 200, 402, 200, 402, 200]);
    const spent = before - (await network.balanceOf(address));
    if (scheme === 'batch-settlement') expect(spent).toBeGreaterThanOrEqual(charged);
    else expect(spent).toBe(charged);
  });

  test('the openai client with a paying fetch: whole answer and stream', async () => {
    const { pay } = await stockFetch('exact');
    const client = new OpenAI({ baseURL: `${walkIn.gateway.url}/v1`, apiKey: 'none', maxRetries: 0, fetch: pay });
    const answer = await client.chat.completions.create({ ...base, model });
    let text = '';
    for await (const chunk of await client.chat.completions.create({ ...base, model, stream: true }))
      text += chunk.choices[0]?.delta.content ?? '';
    expect(text).toBe(answer.choices[0]!.message.content);
  });

  test('the settlement of a whole answer is in its header', async () => {
    const { pay } = await stockFetch('upto');
    const response = await post(pay, walkIn);
    const { receipt } = parseBundle(((await response.json()) as { receipt: unknown }).receipt);
    expect(parsePaymentResponse(response.headers.get('payment-response')!)).toMatchObject({
      success: true,
      amount: String(receiptAmount(receipt)),
    });
  });
});

test.each(['batch-settlement', 'exact'] as const)('our own client pays and checks: %s', async (scheme) => {
  const privateKey = generateKey();
  await network.fundDollars(addressOfKey(privateKey), 10n ** 8n);
  const { nodeRegistry, receiptLog, settlement } = network.chain.deployments;
  const { rpcUrl, chainId } = network.dev;
  const client = new CommonweightClient({
    baseURL: `${walkIn.gateway.url}/v1`,
    facts: rpcFacts({ rpcUrl, chainId, nodeRegistry, receiptLog, settlement }),
    wallet: { privateKey, asset, maxPerRequest: CAP, maxTotal: 10n * CAP, schemes: [scheme] },
  });
  const answer = await client.chat.completions.create({ ...base, model });
  const stream = await client.chat.completions.create({ ...base, model, stream: true });
  let text = '';
  for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? '';
  expect(text).toBe(answer.choices[0]!.message.content);
  for (const { paid: cost, report, bundle } of [answer.commonweight, stream.commonweight!]) {
    expect([report.verdict, cost > 0n && cost <= CAP]).toEqual(['unchecked', true]);
    expect(report.steps.find(({ id }) => id === 'chain-node')).toMatchObject({ status: 'passed' });
    if (scheme === 'batch-settlement') expect(cost).toBe(receiptAmount(bundle.receipt));
  }
});

describe('a gateway with a wallet', () => {
  test('pays what the receipts say, one after the other and beside each other, on one channel', async () => {
    const receipts: Bundle['receipt'][] = [];
    for (let i = 0; i < 2; i++) receipts.push((await readStream(await post(fetch, paying, { stream: true, seed: i }))).bundle.receipt);
    const beside = await Promise.all(
      Array.from({ length: 8 }, async (_, i) => readStream(await post(fetch, paying, { stream: true, seed: i }))),
    );
    receipts.push(...beside.map(({ bundle }) => bundle.receipt));
    expect(beside.every(({ settlement }) => settlement === undefined)).toBe(true);
    const sum = receipts.reduce((total, receipt) => total + receiptAmount(receipt), 0n);
    expect(new Set(receipts.map(({ channel }) => channel)).size).toBe(1);
    const sums = receipts.map(({ cumulativeAmount }) => cumulativeAmount).sort((a, b) => (a < b ? -1 : 1));
    expect(sums.at(-1)).toBe(sum);
    expect(new Set(sums).size).toBe(receipts.length);
    expect(paid.reduce((total, { amount }) => total + BigInt(amount as string), 0n)).toBe(sum);
  });

  test('a client that goes away pays for what was delivered', async () => {
    const { worker, log } = await addWorker('held', {
      openEngine: async (dir, settings) =>
        holdAfter(3, await openThreadEngine(dir, { settings, log: new RecordingLog(), clock: systemClock })),
    });
    const abort = new AbortController();
    const response = await post(fetch, paying, { stream: true, provider: { only: [worker.nodeId] } }, { signal: abort.signal });
    await response.body!.getReader().read();
    const before = paid.length;
    abort.abort();
    await log.next('receipt_signed');
    const { bundle } = await readStream(await post(fetch, paying, { stream: true, provider: { only: [workers[0]!.nodeId] } }));
    expect(bundle.receipt.finishReason).toBe('length');
    const cancelled = paid.slice(before).find(({ node }) => node === worker.nodeId)!;
    const most = BigInt(bundle.receipt.promptTokens) * 1000n + 3n * 2000n;
    expect([BigInt(cancelled['amount'] as string) > 0n, BigInt(cancelled['amount'] as string) <= most]).toEqual([true, true]);
  });
});

test('a gateway that crashed in the middle of a run knows its voucher, and pays on', async () => {
  const { worker, log } = await addWorker('crashed', {
    openEngine: async (dir, settings) =>
      holdAfter(3, await openThreadEngine(dir, { settings, log: new RecordingLog(), clock: systemClock })),
  });
  /** A run that is in flight until the returned function is called; resolves with what was paid for it. */
  const begin = async (from: Started): Promise<() => Promise<Readonly<Record<string, unknown>>>> => {
    const abort = new AbortController();
    const response = await post(fetch, from, { stream: true, provider: { only: [worker.nodeId] } }, { signal: abort.signal });
    await response.body!.getReader().read();
    return async () => {
      const before = paid.length;
      abort.abort();
      await log.next('receipt_signed');
      for (;;) {
        const found = paid.slice(before).find(({ node }) => node === worker.nodeId);
        if (found) return found;
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
  };
  const end = await begin(paying);
  // what a kill -9 leaves: the disk as it is now
  const dataDir = join(network.folder, 'after-crash');
  await mkdir(join(dataDir, 'wallet'), { recursive: true });
  await cp(join(paying.config.dataDir, 'wallet', 'journal'), join(dataDir, 'wallet', 'journal'));
  const first = await end();
  const gateway = await startGateway({ ...paying.config, dataDir }, { log: keep });
  const second = await (await begin({ gateway, config: paying.config }))();
  expect(BigInt(second['sum'] as string)).toBe(BigInt(first['amount'] as string) + BigInt(second['amount'] as string));
  await gateway.stop();
});

test('what lies unused in the channels of a gateway that has stopped is taken back after the delay', async () => {
  const { config, gateway } = paying;
  await expect(withdrawChannels(config)).rejects.toMatchObject({ code: 'locked' });
  await gateway.stop();
  const inWallet = async <T>(look: (wallet: Wallet) => Promise<T>): Promise<T> => {
    const key = await readKeyFile(config.payerKeyFile);
    const wallet = await Wallet.open(walletOptions(join(config.dataDir, 'wallet'), { key, chainId: network.dev.chainId }));
    try {
      return await look(wallet);
    } finally {
      await wallet.close();
    }
  };
  await inWallet((wallet) => wallet.freeze(wallet.channels[0]!));
  await network.dev.fund(gateway.payer, 10n ** 18n);
  const before = await network.balanceOf(gateway.payer);
  const states = async (): Promise<string[]> => [...new Set((await withdrawChannels(config)).map(({ state }) => state))];
  expect(await states()).toEqual(['started']);
  expect(await states()).toEqual(['waiting']);
  await rpc('evm_increaseTime', 86_400);
  await rpc('evm_mine');
  const taken = await withdrawChannels(config);
  expect(taken.map(({ state }) => state)).toEqual(taken.map(() => 'taken'));
  const back = (await network.balanceOf(gateway.payer)) - before;
  // less what the nodes claimed between the look and the transaction
  expect([back > 1_000_000n, back <= taken.reduce((sum, { amount }) => sum + amount, 0n)]).toEqual([true, true]);
  expect(await states()).toEqual(['empty']);
  // the node that was paid nothing more gets another chance
  expect(await inWallet(async ({ channels }) => channels.map(({ retired }) => retired))).toEqual(taken.map((_, i) => i === 0));
});

const rpc = (method: string, ...params: readonly unknown[]): Promise<Response> =>
  fetch(network.dev.rpcUrl, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
  });
