import { type Address, type Hex32 } from '@commonweight/protocol';
import type { PaymentRequirements } from '@x402/core/types';
import { authorizationTypes } from '@x402/evm';
import { privateKeyToAccount } from 'viem/accounts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { contractCaller } from '../contract-caller.ts';
import { limits } from '../limits.ts';
import { jsonRpc } from '../platform/json-rpc.ts';
import { type Rpc, connectRpc } from '../rpc.ts';
import { Submitter } from '../submitter.ts';
import { type TestNetwork, startTestNetwork } from '../testing/network.ts';
import { type Payer, type Quote, newPayer, requirementsOf } from '../testing/payer.ts';
import { batchSettlementAbi, testDollarAbi } from './abis.gen.ts';
import { BATCH_SETTLEMENT, UPTO_PERMIT2_PROXY } from './addresses.ts';
import { type Facilitator, startFacilitator } from './facilitator.ts';

const SHOP: Address = `0x${'5b'.repeat(20)}` as const;
let network: TestNetwork;
let rpc: Rpc;
let submitter: Submitter;
let facilitator: Facilitator;
let payer: Payer;
let asset: Address;
beforeAll(async () => {
  network = await startTestNetwork();
  rpc = connectRpc(network.dev.rpcUrl, network.dev.chainId);
  submitter = new Submitter({ rpc, privateKey: (await network.newClient()).privateKey });
  asset = network.money.testDollar;
  facilitator = await startFacilitator({ submitter, assets: [asset] });
  payer = await newPayer(network);
});
afterAll(() => network.close());

const quote = (scheme: Quote['scheme'], amount: bigint): PaymentRequirements =>
  requirementsOf({ scheme, rpc, asset, payTo: SHOP, amount, facilitator: facilitator.address });
const balance = (of: Address): Promise<bigint> => contractCaller(rpc, undefined, asset, testDollarAbi).read('balanceOf', [of]);

describe('stock x402 clients pay', () => {
  test('exact: the whole amount, once', async () => {
    const requirements = quote('exact', 1_000n);
    const payment = await payer.pay(requirements);
    const before = await balance(SHOP);
    expect(await facilitator.verify(payment, requirements)).toMatchObject({ isValid: true });
    const settled = await facilitator.settle(payment, requirements);
    expect(settled).toMatchObject({ success: true, network: facilitator.network });
    expect((await balance(SHOP)) - before).toBe(1_000n);
    expect(await facilitator.settle(payment, requirements)).toMatchObject({ success: false });
    expect((await balance(SHOP)) - before).toBe(1_000n);
  });

  test('upto: what was used of the maximum, once', async () => {
    const requirements = quote('upto', 50_000n);
    const payment = await payer.pay(requirements);
    const before = await balance(SHOP);
    expect(await facilitator.verify(payment, requirements)).toMatchObject({ isValid: true });
    expect(await facilitator.settle(payment, { ...requirements, amount: '50001' })).toMatchObject({ success: false });
    expect(await facilitator.settle(payment, { ...requirements, amount: '1234' })).toMatchObject({ success: true, amount: '1234' });
    expect((await balance(SHOP)) - before).toBe(1_234n);
    expect(await facilitator.settle(payment, { ...requirements, amount: '1234' })).toMatchObject({ success: false });
  });

  test('batch-settlement: a deposit, a voucher, a claim, the payment of what was claimed', async () => {
    const requirements = quote('batch-settlement', 5_000n);
    const payment = await payer.pay(requirements);
    const before = await balance(SHOP);
    expect(await facilitator.verify(payment, requirements)).toMatchObject({ isValid: true });
    expect(await facilitator.settle(payment, requirements)).toMatchObject({ success: true });
    const { channelConfig, voucher } = payment.payload as {
      channelConfig: object;
      voucher: { maxClaimableAmount: string; signature: string };
    };
    const row = {
      voucher: { channel: channelConfig, maxClaimableAmount: voucher.maxClaimableAmount },
      signature: voucher.signature,
      totalClaimed: '777',
    };
    const claimed = await facilitator.settle({ ...payment, payload: { type: 'claim', claims: [row] } }, requirements);
    expect(claimed).toMatchObject({ success: false, errorReason: expect.stringMatching(/authorizer_not_configured/) as string });
    const escrow = contractCaller(rpc, submitter, BATCH_SETTLEMENT, batchSettlementAbi);
    await escrow.write('claim', [
      [
        {
          voucher: { channel: channelConfig as never, maxClaimableAmount: BigInt(voucher.maxClaimableAmount) },
          signature: voucher.signature as `0x${string}`,
          totalClaimed: 777n,
        },
      ],
    ]);
    const paid = await facilitator.settle({ ...payment, payload: { type: 'settle', receiver: SHOP, token: asset } }, requirements);
    expect(paid).toMatchObject({ success: true, amount: '777' });
    expect((await balance(SHOP)) - before).toBe(777n);
  });
});

test('more payments settled at once than wait for blocks beside each other: each is paid once', async () => {
  const requirements = quote('exact', 7n);
  const payments = await Promise.all(Array.from({ length: 24 }, () => payer.pay(requirements)));
  const before = await balance(SHOP);
  const settled = await Promise.all(payments.map((payment) => facilitator.settle(payment, requirements)));
  expect(settled.filter(({ success }) => !success)).toEqual([]);
  expect((await balance(SHOP)) - before).toBe(168n);
});

describe('a payer who uses the nonce of his payment for something else has not paid', () => {
  const expectNoPayment = async (to: Address, value: bigint): Promise<void> => {
    const requirements = quote('exact', 90n);
    const payment = await payer.pay(requirements);
    const { nonce } = (payment.payload as { authorization: { nonce: Hex32 } }).authorization;
    const times = { validAfter: 0n, validBefore: 1n << 40n };
    const signature = await privateKeyToAccount(payer.privateKey).signTypedData({
      domain: { name: 'Test Dollar', version: '1', chainId: rpc.chain.id, verifyingContract: asset },
      types: authorizationTypes,
      primaryType: 'TransferWithAuthorization',
      message: { from: payer.address, to, value, ...times, nonce },
    });
    const dollar = contractCaller(rpc, new Submitter({ rpc, privateKey: payer.privateKey }), asset, testDollarAbi);
    await dollar.write('transferWithAuthorization', [payer.address, to, value, times.validAfter, times.validBefore, nonce, signature]);
    expect(await facilitator.find(payment, requirements)).toBeUndefined();
    await expect(facilitator.settleFinally(payment, requirements)).rejects.toMatchObject({ code: 'payment_refused', retryable: false });
  };
  test('for a transfer to himself', () => expectNoPayment(payer.address, 90n));
  test('for a smaller transfer to the payee', () => expectNoPayment(SHOP, 1n));
});

test('a payment is not found by the authorization of an earlier one beside it', async () => {
  const earlier = await payer.pay(quote('exact', 60n));
  await facilitator.settleFinally(earlier, quote('exact', 60n));
  for (const scheme of ['upto', 'batch-settlement'] as const) {
    const payment = await payer.pay(quote(scheme, 60n));
    const both = { ...payment, payload: { ...payment.payload, authorization: earlier.payload['authorization'] } };
    expect(await facilitator.find(both, quote(scheme, 60n))).toBeUndefined();
  }
  expect(await facilitator.find(earlier, quote('exact', 61n))).toBeUndefined();
});

test.each(['exact', 'upto'] as const)('%s: a payment is looked for from the block on in which it was accepted', async (scheme) => {
  const requirements = quote(scheme, 70n);
  const payment = await payer.pay(requirements);
  const accepted = await rpc.client.getBlockNumber();
  const settlement = await facilitator.settleFinally(payment, requirements);
  expect(await facilitator.find(payment, requirements, accepted)).toEqual(settlement);
  // a reorganisation may have brought it lower, but not so much
  const { blockNumber } = settlement!;
  expect(await facilitator.find(payment, requirements, blockNumber + limits.reorganisation)).toEqual(settlement);
  expect(await facilitator.find(payment, requirements, blockNumber + limits.reorganisation + 1n)).toBeUndefined();
});

test('a payment in a token that is not taken is not sent', async () => {
  const requirements = quote('exact', 5n);
  const strict = await startFacilitator({ submitter, assets: [UPTO_PERMIT2_PROXY] });
  const nonce = await rpc.client.getTransactionCount({ address: submitter.account.address });
  const settled = await strict.settle(await payer.pay(requirements), requirements);
  expect(settled).toMatchObject({ success: false });
  expect(await rpc.client.getTransactionCount({ address: submitter.account.address })).toBe(nonce);
});

test('a chain that lacks a contract is refused by its name', async () => {
  const code = await jsonRpc(rpc.url, 'eth_getCode', [UPTO_PERMIT2_PROXY, 'latest']);
  await jsonRpc(rpc.url, 'anvil_setCode', [UPTO_PERMIT2_PROXY, '0x']);
  try {
    await expect(startFacilitator({ submitter, assets: [asset] })).rejects.toMatchObject({
      code: 'wrong_chain',
      details: { missing: ['x402UptoPermit2Proxy'] },
    });
  } finally {
    await jsonRpc(rpc.url, 'anvil_setCode', [UPTO_PERMIT2_PROXY, code]);
  }
});
