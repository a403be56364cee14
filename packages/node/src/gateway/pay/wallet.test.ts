import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type ChannelPayment,
  DEPOSIT_COLLECTOR,
  addressOfKey,
  channelIdOf,
  depositNonce,
  parsePaymentSignature,
  receiveAuthorizationDigest,
  recoverSigner,
  voucherDigest,
} from '@commonweight/protocol';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../platform/clock.ts';
import { keys } from '../testing/answer-fixture.ts';
import { address, caps, modelId, node, offer, walletOptions } from './testing/wallet.ts';
import { type PaidRun, Wallet, type WalletOptions } from './wallet.ts';

let folder: string;
let wallet: Wallet;
const payer = addressOfKey(keys.payer);
const open = async (options: Partial<WalletOptions> = {}): Promise<Wallet> => (wallet = await Wallet.open(walletOptions(folder, options)));
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'commonweight-wallet-'));
  await open();
});
afterEach(async () => {
  await wallet.close();
  await rm(folder, { recursive: true });
});

const channelPayment = ({ header }: PaidRun): ChannelPayment => parsePaymentSignature(header) as ChannelPayment;
const channelOf = (): ReturnType<Wallet['channel']> => wallet.channel(node, modelId, offer);

test('the first payment opens a channel to the splitter, with a deposit that only the collector can use', async () => {
  const channel = await channelOf();
  const paid = await wallet.pay(channel, offer, 1000n);
  const payment = channelPayment(paid);
  const { config, deposit } = payment;
  expect(config).toMatchObject({ payer, payerAuthorizer: payer, receiver: offer.payTo, receiverAuthorizer: node, token: offer.asset });
  expect(payment).toMatchObject({ channel: channelIdOf(config, 31_337), maxClaimableAmount: 1000n, amount: 1000n, from: payer });
  expect(recoverSigner(voucherDigest({ channelId: channel.id, maxClaimableAmount: 1000n }, 31_337), payment.signature)).toBe(payer);
  const { amount, validAfter, validBefore, salt } = deposit!;
  expect([paid.deposits, paid.balance, amount]).toEqual([true, 10_000n, caps.depositStep]);
  const authorization = {
    from: payer,
    to: DEPOSIT_COLLECTOR,
    value: amount,
    validAfter,
    validBefore,
    nonce: depositNonce(channel.id, salt),
  };
  const token = { name: 'Test Dollar', version: '1', chainId: 31_337, verifyingContract: offer.asset };
  expect(recoverSigner(receiveAuthorizationDigest(authorization, token), deposit!.signature)).toBe(payer);
});

describe('runs', () => {
  test('beside each other need no second deposit: each voucher covers those in flight', async () => {
    const channel = await channelOf();
    const first = await wallet.pay(channel, offer, 1000n);
    wallet.depositArrived(channel);
    const rest = await Promise.all(Array.from({ length: 5 }, () => wallet.pay(channel, offer, 1000n)));
    expect(rest.map((paid) => channelPayment(paid).maxClaimableAmount)).toEqual([2000n, 3000n, 4000n, 5000n, 6000n]);
    expect(rest.some(({ deposits }) => deposits)).toBe(false);
    await wallet.charged(rest[4]!, 400n, 400n);
    await wallet.charged(first, 1000n, 1400n);
    expect(channelPayment(await wallet.pay(channel, offer, 1000n)).maxClaimableAmount).toBe(6400n);
    expect(wallet.spentToday).toBe(1400n);
  });

  test('wait for a deposit that is on its way to its node', async () => {
    const channel = await channelOf();
    await wallet.pay(channel, offer, 1000n);
    let paid: PaidRun | undefined;
    const waiting = wallet.pay(channel, offer, 1000n).then((run) => (paid = run));
    await wallet.channel(node, modelId, offer);
    expect(paid).toBeUndefined();
    wallet.depositArrived(channel);
    await waiting;
    expect(channelPayment(paid!).deposit).toBeUndefined();
  });

  test('are topped up in steps, by what is missing where that is more', async () => {
    const channel = await channelOf();
    const deposits: bigint[] = [];
    for (let sum = 0n; sum < 24_000n; sum += 4000n) {
      const paid = await wallet.pay(channel, offer, 4000n);
      wallet.depositArrived(channel);
      deposits.push(channelPayment(paid).deposit?.amount ?? 0n);
      await wallet.charged(paid, 4000n, sum + 4000n);
    }
    expect(deposits).toEqual([10_000n, 0n, 10_000n, 0n, 0n, 10_000n]);
  });
});

describe('caps', () => {
  test('one request, one day, one channel', async () => {
    await wallet.close();
    let now = Date.UTC(2026, 0, 1, 23);
    await open({ caps: { ...caps, maxPerDay: 9000n, maxDeposit: 12_000n }, clock: { ...systemClock, now: () => now } });
    const channel = await channelOf();
    const pay = async (maximum: bigint): Promise<PaidRun> => {
      const paid = await wallet.pay(channel, offer, maximum);
      wallet.depositArrived(channel);
      return paid;
    };
    await expect(pay(5001n)).rejects.toMatchObject({ status: 402, code: 'request_too_dear', field: 'max_tokens' });
    const first = await pay(5000n);
    await expect(pay(4001n)).rejects.toMatchObject({ status: 429, code: 'insufficient_quota' });
    await wallet.charged(first, 5000n, 5000n);
    await expect(pay(4001n)).rejects.toMatchObject({ code: 'insufficient_quota' });
    now += 3_600_000;
    const runs = [await pay(5000n), await pay(4000n)];
    await expect(pay(1n)).rejects.toMatchObject({ code: 'insufficient_quota' });
    for (const run of runs) await wallet.released(run);
    const other = await wallet.channel(address('another operator'), modelId, { ...offer, payTo: address('another splitter') });
    await wallet.pay(other, offer, 5000n);
  });

  test('what is not charged in one channel', async () => {
    await wallet.close();
    await open({ caps: { ...caps, maxDeposit: 4000n } });
    const channel = await channelOf();
    await expect(wallet.pay(channel, offer, 4001n)).rejects.toMatchObject({ status: 402, code: 'deposit_too_large' });
    const paid = await wallet.pay(channel, offer, 3000n);
    expect(channelPayment(paid).deposit?.amount).toBe(4000n);
  });
});

describe('a node that takes more than it may', () => {
  test('is paid nothing more on its channel, also after a restart', async () => {
    const channel = await channelOf();
    const paid = await wallet.pay(channel, offer, 1000n);
    wallet.depositArrived(channel);
    await expect(wallet.charged(paid, 1001n, 1001n)).rejects.toMatchObject({ code: 'payment_overcharged' });
    await expect(wallet.pay(channel, offer, 1n)).rejects.toMatchObject({ code: 'channel_frozen' });
    await wallet.close();
    await open();
    await expect(wallet.pay(await channelOf(), offer, 1n)).rejects.toMatchObject({ code: 'channel_frozen' });
    const other = { ...offer, extra: { ...offer.extra, withdrawDelay: 901 } };
    await expect(wallet.pay(await wallet.channel(node, modelId, other), other, 1n)).rejects.toMatchObject({ code: 'channel_frozen' });
  });

  test('is paid on another channel when the money of that one is back', async () => {
    const channel = await channelOf();
    await expect(wallet.retire(channel)).rejects.toMatchObject({ code: 'wallet_damaged' });
    const paid = await wallet.pay(channel, offer, 1000n);
    wallet.depositArrived(channel);
    await wallet.lost(paid);
    await wallet.freeze(channel);
    expect((await channelOf()).id).toBe(channel.id);
    await wallet.retire(channel);
    for (let i = 0; i < 2; i++) {
      const next = await channelOf();
      expect(next.config).toEqual({ ...channel.config, salt: `0x${'1'.padStart(64, '0')}` });
      expect(next.id).not.toBe(channel.id);
      await wallet.close();
      await open();
    }
    // what was reserved on the old one can be charged no more
    const first = await wallet.pay(await channelOf(), offer, 1000n);
    expect([channelPayment(first).maxClaimableAmount, wallet.channels.length]).toEqual([1000n, 2]);
  });

  test('is believed up to what was signed', async () => {
    const channel = await channelOf();
    const paid = await wallet.pay(channel, offer, 1000n);
    wallet.depositArrived(channel);
    await wallet.released(paid);
    expect([await wallet.corrected(channel, 1001n), await wallet.corrected(channel, 0n)]).toEqual([false, false]);
    expect(await wallet.corrected(channel, 1000n)).toBe(true);
    expect(channelPayment(await wallet.pay(channel, offer, 500n)).maxClaimableAmount).toBe(1500n);
  });
});

test('the books are the same after a restart; runs in flight stay reserved, and the chain says what is there', async () => {
  const channel = await channelOf();
  const first = await wallet.pay(channel, offer, 1000n);
  wallet.depositArrived(channel);
  await wallet.charged(first, 600n, 600n);
  await wallet.pay(channel, offer, 1000n);
  await wallet.close();
  await open({ balanceOf: async () => 10_000n });
  const again = await channelOf();
  expect(again.account.books).toEqual({ charged: 600n, balance: 10_000n, signed: 1600n, unheard: 1000n });
  const paid = await wallet.pay(again, offer, 1000n);
  expect(channelPayment(paid).maxClaimableAmount).toBe(2600n);
  await wallet.charged(paid, 1000n, 1600n);
  expect(again.account.books).toMatchObject({ charged: 1600n, unheard: 0n });
  expect(wallet.spentToday).toBe(1600n);
});

test('a wallet of another payer or chain is refused', async () => {
  await wallet.close();
  await expect(open({ chainId: 1 })).rejects.toMatchObject({ code: 'wallet_of_another', action: 'stop' });
  await expect(open({ key: keys.session })).rejects.toMatchObject({ code: 'wallet_of_another' });
  await open();
});

test('terms that would hold money for too long are refused', async () => {
  for (const withdrawDelay of [31 * 86_400, -1, '900', undefined]) {
    const extra = { ...offer.extra, withdrawDelay };
    await expect(wallet.channel(node, modelId, { ...offer, extra })).rejects.toMatchObject({ code: 'offer_delay' });
  }
});
