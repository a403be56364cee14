import { join } from 'node:path';
import { generateKey } from '@commonweight/chain';
import {
  type Address,
  type Hex32,
  type ModelId,
  type PaymentScheme,
  ZERO_HEX32,
  addressOfKey,
  modelIdOf,
  parseFrame,
  parsePaymentRequired,
  parsePaymentSignature,
  paymentHeaders,
  signChannelPayment,
  signExactPayment,
  toHex,
  uintBE,
} from '@commonweight/protocol';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RunningWorker, startWorker } from '../worker/start-worker.ts';
import { type DevNetwork, startDevNetwork } from '../worker/testing/dev-network.ts';
import { RecordingLog } from '../worker/testing/recording-log.ts';
import { unhurried, writeTinyPackage } from '../worker/testing/tiny-package.ts';
import { type StockPayer, newStockPayer, post } from './testing/stock-payer.ts';

// Payers who write their own payments and show them side by side.

const MAXIMUM = 20_000n;
let network: DevNetwork;
let modelId: ModelId;
let worker: RunningWorker;
let asset: Address;
let asker: StockPayer;
const log = new RecordingLog();
let nonce = 0;

beforeAll(async () => {
  network = await startDevNetwork();
  asset = network.chain.deployments.testDollar!;
  const folder = join(network.folder, 'model');
  modelId = modelIdOf((await writeTinyPackage(folder, unhurried)).manifest);
  const prices = { promptPrice: '1000000000', completionPrice: '2000000000' };
  const config = await network.worker('one', [folder], { asset, ...prices, payments: { claimIntervalMs: 100 } });
  worker = await startWorker(config, { log });
  asker = await newStockPayer(network, 'exact');
}, 120_000);

afterAll(async () => {
  await worker?.stop();
  await network?.stop();
});

const run = () => ({ node: worker.nodeId, modelId, nonce: nonce++ });
const salt = (n: number): Hex32 => toHex(uintBE(n, 32)) as Hex32;
const inAnHour = () => Math.floor(Date.now() / 1000) + 3500;

async function payerWith(amount: bigint): Promise<Hex32> {
  const key = generateKey();
  await network.fundDollars(addressOfKey(key), amount);
  return key;
}

async function offerOf(scheme: PaymentScheme) {
  const quote = await post(worker.url, asker.sign(run()));
  await quote.text();
  return parsePaymentRequired(quote.headers.get(paymentHeaders.required)!).accepts.find((offer) => offer.scheme === scheme)!;
}

/** A channel of its own for every `n`, with a deposit of one run's maximum. */
async function channelHeader(key: Hex32, n: number): Promise<string> {
  const offer = await offerOf('batch-settlement');
  const from = addressOfKey(key);
  const config = {
    payer: from,
    payerAuthorizer: from,
    receiver: offer.payTo,
    receiverAuthorizer: worker.nodeId,
    token: asset,
    withdrawDelay: Number(offer.extra['withdrawDelay']),
    salt: n === 0 ? ZERO_HEX32 : salt(n),
  };
  const deposit = { amount: MAXIMUM, salt: salt(100 + n), validBefore: inAnHour() };
  return signChannelPayment(offer, { config, voucher: MAXIMUM, deposit }, key);
}

async function show(header: string) {
  const response = await post(worker.url, asker.sign(run(), parsePaymentSignature(header)), header);
  const lines = (await response.text()).trim().split('\n');
  const last = parseFrame(JSON.parse(lines.at(-1)!));
  return { status: response.status, error: last.type === 'error' ? last : undefined };
}

const statusesOf = (answers: readonly { status: number }[]): number[] => answers.map(({ status }) => status).toSorted((a, b) => a - b);

test('six single payments over one balance, side by side: what it carries is served', async () => {
  const key = await payerWith(MAXIMUM);
  const offer = await offerOf('exact');
  const headers = [1, 2, 3, 4, 5, 6].map((n) => signExactPayment(offer, { nonce: salt(n), validBefore: inAnHour() }, key));
  const answers = await Promise.all(headers.map(show));
  expect(statusesOf(answers)).toEqual([200, 402, 402, 402, 402, 402]);
  expect(await network.balanceOf(addressOfKey(key))).toBe(0n);
}, 60_000);

test('deposits into several channels over one balance, side by side: what it carries is served', async () => {
  const key = await payerWith(2n * MAXIMUM);
  const headers = await Promise.all([1, 2, 3, 4].map((n) => channelHeader(key, n)));
  const answers = await Promise.all(headers.map(show));
  expect(statusesOf(answers)).toEqual([200, 200, 402, 402]);
  await expect.poll(() => network.balanceOf(addressOfKey(key)), { timeout: 20_000 }).toBe(0n);
}, 60_000);

test('one deposit shown with two requests at once counts once, and the node goes on', async () => {
  const key = await payerWith(3n * MAXIMUM);
  const header = await channelHeader(key, 0);
  const answers = await Promise.all([show(header), show(header)]);
  // the second has a voucher that is spent
  expect(statusesOf(answers)).toEqual([200, 402]);
  expect(log.of('failed')).toEqual([]);
  await expect.poll(() => network.balanceOf(addressOfKey(key)), { timeout: 20_000 }).toBe(2n * MAXIMUM);
  expect((await fetch(`${worker.url}/health`)).status).toBe(200);
}, 60_000);
