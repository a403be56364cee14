import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ChannelPayment, type PaymentOffer, parsePaymentSignature } from '@commonweight/protocol';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../platform/clock.ts';
import { caps, modelId, node, offer, walletOptions } from './testing/wallet.ts';
import { type PaidRun, Wallet, type WalletOptions } from './wallet.ts';

let folder: string;
let wallet: Wallet;
const open = async (options: Partial<WalletOptions> = {}): Promise<Wallet> => (wallet = await Wallet.open(walletOptions(folder, options)));
beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), 'commonweight-hostile-'))));
afterEach(async () => {
  await wallet.close();
  await rm(folder, { recursive: true });
});

const depositIn = ({ header }: PaidRun): ChannelPayment['deposit'] => (parsePaymentSignature(header) as ChannelPayment).deposit;

test('the budget of a day counts runs that were never heard of and that a later receipt includes', async () => {
  await open({ caps: { ...caps, maxPerDay: 3_000n } });
  const channel = await wallet.channel(node, modelId, offer);
  // the node cuts every second answer before its receipt, and names its sum in the next one
  const cheat = async (charged: bigint): Promise<bigint> => {
    const cut = await wallet.pay(channel, offer, 1000n);
    wallet.depositArrived(channel);
    await wallet.lost(cut);
    const short = await wallet.pay(channel, offer, 1n);
    wallet.depositArrived(channel);
    await wallet.charged(short, 1n, charged + 1001n);
    return charged + 1001n;
  };
  await cheat(await cheat(0n));
  expect(wallet.spentToday).toBe(2002n);
  await expect(cheat(2002n)).rejects.toMatchObject({ code: 'insufficient_quota' });
  expect(channel.account.books.charged).toBe(2002n);
  await wallet.close();
  await open();
  expect(wallet.spentToday).toBe(2002n);
});

describe('a node that refuses runs with deposits', () => {
  /** What `WalletPayments` does with a 402 to a run with a deposit. @returns what was signed for it */
  async function refusedRun(terms: PaymentOffer): Promise<bigint> {
    const channel = await wallet.channel(node, modelId, terms);
    const paid = await wallet.pay(channel, terms, 1000n);
    await wallet.released(paid);
    await wallet.readBalance(channel);
    wallet.depositArrived(channel);
    return depositIn(paid)?.amount ?? 0n;
  }

  test.each([
    ['on one channel', () => offer],
    ['on a new channel each time', (i: number) => ({ ...offer, extra: { ...offer.extra, withdrawDelay: 900 + i } })],
  ])('gathers at most maxDeposit of them, %s, also over a restart', async (_, terms) => {
    await open();
    let sum = 0n;
    for (let i = 0; i < 5; i++) sum += await refusedRun(terms(i));
    expect(sum).toBe(caps.maxDeposit);
    await expect(refusedRun(terms(5))).rejects.toMatchObject({ code: 'deposits_pending', action: 'retry' });
    await wallet.close();
    await open();
    await expect(refusedRun(terms(6))).rejects.toMatchObject({ code: 'deposits_pending' });
  });

  test('holds them for an hour at most, whatever its offer says; then there is room again', async () => {
    let now = Date.UTC(2026, 0, 1);
    await open({ clock: { ...systemClock, now: () => now } });
    const long = { ...offer, maxTimeoutSeconds: 31_536_000 };
    const channel = await wallet.channel(node, modelId, long);
    const paid = await wallet.pay(channel, long, 1000n);
    expect(depositIn(paid)!.validBefore).toBe(BigInt(now / 1000 + 3600));
    await wallet.released(paid);
    await wallet.readBalance(channel);
    wallet.depositArrived(channel);
    for (let i = 0; i < 4; i++) await refusedRun(long);
    // an hour, and the margin for other clocks
    now += 4_199_000;
    await expect(refusedRun(long)).rejects.toMatchObject({ code: 'deposits_pending' });
    now += 1000;
    expect(await refusedRun(long)).toBe(10_000n);
  });
});

describe('a look at the chain', () => {
  const answers: ((balance: bigint) => void)[] = [];
  beforeEach(async () => {
    answers.length = 0;
    await open({ balanceOf: () => new Promise((resolve) => answers.push(resolve)) });
  });

  test('is shared by the first requests to a node', async () => {
    const channels = [wallet.channel(node, modelId, offer), wallet.channel(node, modelId, offer)];
    await expect.poll(() => answers.length).toBe(1);
    answers[0]!(0n);
    const [channel] = await Promise.all(channels);
    expect(depositIn(await wallet.pay(channel!, offer, 1000n))?.amount).toBe(caps.depositStep);
    await wallet.channel(node, modelId, offer);
    expect(answers).toHaveLength(1);
  });

  test('that a deposit overtook is dropped', async () => {
    const opening = wallet.channel(node, modelId, offer);
    await expect.poll(() => answers.length).toBe(1);
    answers[0]!(0n);
    const channel = await opening;
    const late = wallet.readBalance(channel);
    await wallet.pay(channel, offer, 1000n);
    answers[1]!(0n);
    await late;
    wallet.depositArrived(channel);
    const next = await wallet.pay(channel, offer, 1000n);
    expect([depositIn(next), next.balance]).toEqual([undefined, caps.depositStep]);
  });
});
