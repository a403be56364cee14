import { join } from 'node:path';
import { PERMIT2, Submitter, connectRpc, generateKey, testDollarAbi } from '@commonweight/chain';
import {
  type Address,
  type Hex32,
  type ModelId,
  type PaymentOffer,
  addressOfKey,
  modelIdOf,
  parseFrame,
  parsePaymentRequired,
  parsePaymentResponse,
  parsePaymentSignature,
  paymentHeaders,
} from '@commonweight/protocol';
import { toClientEvmSigner } from '@x402/evm';
import { BatchSettlementEvmScheme } from '@x402/evm/batch-settlement/client';
import { ExactEvmScheme } from '@x402/evm/exact/client';
import { createPublicClient, encodeFunctionData, http } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RunningWorker, startWorker } from '../worker/start-worker.ts';
import { type DevNetwork, startDevNetwork } from '../worker/testing/dev-network.ts';
import { RecordingLog } from '../worker/testing/recording-log.ts';
import { unhurried, writeTinyPackage } from '../worker/testing/tiny-package.ts';
import { newStockPayer, post } from './testing/stock-payer.ts';

/** Payments that carry the fields of another scheme, or of another way to move the money, beside their own. */
type Json = Record<string, unknown>;

let network: DevNetwork;
let modelId: ModelId;
let worker: RunningWorker;
let asset: Address;
const log = new RecordingLog();
let nonce = 0;
beforeAll(async () => {
  network = await startDevNetwork();
  asset = network.chain.deployments.testDollar!;
  const folder = join(network.folder, 'model');
  modelId = modelIdOf((await writeTinyPackage(folder, unhurried)).manifest);
  const prices = { asset, promptPrice: '1000000000', completionPrice: '2000000000' };
  worker = await startWorker(await network.worker('one', [folder], prices), { log });
}, 120_000);
afterAll(async () => {
  await worker?.stop();
  await network?.stop();
}, 60_000);

const run = () => ({ node: worker.nodeId, modelId, nonce: nonce++ });
const read = (header: string): Json & { readonly payload: Json } => JSON.parse(Buffer.from(header, 'base64').toString()) as never;
const write = (value: Json): string => Buffer.from(JSON.stringify(value)).toString('base64');
const beside = (header: string, fields: Json): string => {
  const value = read(header);
  return write({ ...value, payload: { ...value.payload, ...fields } });
};
const answer = async (response: Response) => {
  const frames = (await response.text())
    .trim()
    .split('\n')
    .map((line) => parseFrame(JSON.parse(line)));
  const last = frames.at(-1)!;
  const settled = last.type === 'receipt' ? last.settlement : undefined;
  return { status: response.status, last, settlement: settled === undefined ? undefined : parsePaymentResponse(settled) };
};

describe('an authorization that somebody used before, which everybody can read on chain', () => {
  const earlier = async (): Promise<Json> => read((await (await newStockPayer(network, 'exact')).run(worker.url, run())).header).payload;

  test('beside an upto payment: the run is paid with the payment', async () => {
    const payer = await newStockPayer(network, 'upto');
    const before = await network.balanceOf(payer.address);
    const { request, header } = await payer.pay(worker.url, run());
    const { authorization } = await earlier();
    const got = await answer(await post(worker.url, request, beside(header, { authorization })));
    expect(got).toMatchObject({ status: 200, settlement: { success: true } });
    expect(before - (await network.balanceOf(payer.address))).toBe(BigInt(got.settlement!.amount!));
    expect(got.settlement!.amount).not.toBe('0');
  }, 60_000);

  test('beside a deposit: the deposit is brought', async () => {
    const payer = await newStockPayer(network, 'batch-settlement');
    const before = await network.balanceOf(payer.address);
    const { request, header } = await payer.pay(worker.url, run());
    const { authorization } = await earlier();
    const got = await answer(await post(worker.url, request, beside(header, { authorization })));
    expect(got).toMatchObject({ status: 200, settlement: { success: true } });
    await expect.poll(async () => before - (await network.balanceOf(payer.address)), { timeout: 20_000 }).toBeGreaterThan(0n);
  }, 60_000);
});

describe('a Permit2 transfer of the payer, which would go through, beside an authorization that nobody signed', () => {
  /** A key with money that has approved Permit2, and how it signs for a stock client. */
  const newAttacker = async () => {
    const privateKey = generateKey();
    const { dev } = network;
    await dev.fund(addressOfKey(privateKey), 10n ** 18n);
    await network.fundDollars(addressOfKey(privateKey), 10n ** 9n);
    const data = encodeFunctionData({ abi: testDollarAbi, functionName: 'approve', args: [PERMIT2, 2n ** 256n - 1n] });
    await new Submitter({ rpc: connectRpc(dev.rpcUrl, dev.chainId), privateKey }).send({ to: asset, data });
    return toClientEvmSigner(privateKeyToAccount(privateKey), createPublicClient({ transport: http(dev.rpcUrl) }));
  };
  const offerOf = async (scheme: PaymentOffer['scheme']) => {
    const quote = await post(worker.url, (await newStockPayer(network, 'exact')).sign(run()));
    await quote.text();
    const offer = parsePaymentRequired(quote.headers.get(paymentHeaders.required)!).accepts.find((each) => each.scheme === scheme)!;
    return { offer, permit2: { ...offer, extra: { ...offer.extra, assetTransferMethod: 'permit2' } } as never };
  };
  const inAnHour = (): string => String(Math.floor(Date.now() / 1000) + 3000);

  test('exact, in the name of somebody else: 402', async () => {
    const victim = await newStockPayer(network, 'exact');
    const { offer, permit2 } = await offerOf('exact');
    const { payload } = await new ExactEvmScheme(await newAttacker()).createPaymentPayload(2, permit2);
    const times = { validAfter: '0', validBefore: inAnHour() };
    const authorization = { from: victim.address, to: offer.payTo, value: offer.amount, ...times, nonce: `0x${'77'.repeat(32)}` as Hex32 };
    const header = write({ x402Version: 2, accepted: offer, payload: { ...payload, authorization } });
    const got = await answer(await post(worker.url, victim.sign(run(), parsePaymentSignature(header)), header));
    expect(got).toMatchObject({ status: 402, last: { type: 'error', code: 'payment_invalid' } });
  }, 60_000);

  test('a deposit: 402', async () => {
    const payer = await newStockPayer(network, 'exact');
    const { offer, permit2 } = await offerOf('batch-settlement');
    const { payload } = await new BatchSettlementEvmScheme(await newAttacker()).createPaymentPayload(2, permit2);
    const erc3009Authorization = {
      validAfter: '0',
      validBefore: inAnHour(),
      salt: `0x${'99'.repeat(32)}`,
      signature: `0x${'11'.repeat(64)}1b`,
    };
    const { deposit } = payload as { deposit: { authorization: Json } };
    const both = { ...deposit, authorization: { ...deposit.authorization, erc3009Authorization } };
    const header = write({ x402Version: 2, accepted: offer, payload: { ...payload, deposit: both } });
    const got = await answer(await post(worker.url, payer.sign(run(), parsePaymentSignature(header)), header));
    expect(got).toMatchObject({ status: 402, last: { type: 'error', code: 'payment_invalid' } });
  }, 60_000);
});
