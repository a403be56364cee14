import { type Address, addressOfKey } from '@commonweight/protocol';
import type { PaymentPayload, PaymentRequirements } from '@x402/core/types';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { contractCaller } from '../contract-caller.ts';
import { generateKey } from '../keys.ts';
import { connectRpc } from '../rpc.ts';
import { Submitter } from '../submitter.ts';
import { type Payer, type Quote, newPayer, requirementsOf } from '../testing/payer.ts';
import { type TroubleChain, startTroubleChain } from '../testing/trouble-chain.ts';
import { testDollarAbi } from './abis.gen.ts';
import { type Facilitator, startFacilitator } from './facilitator.ts';

/** The long list runs at night. */
const nightly = Number(process.env['COMMONWEIGHT_TEST_RUNS'] ?? 1) > 1;
const SHOP: Address = `0x${'5b'.repeat(20)}` as const;
const DEPTH = 13;
let chain: TroubleChain;
let payer: Payer;
let submitter: Submitter;
let facilitator: Facilitator;

beforeEach(async () => {
  chain = await startTroubleChain();
  payer = await newPayer(chain);
  const privateKey = generateKey();
  await chain.fund(addressOfKey(privateKey));
  submitter = new Submitter({ rpc: connectRpc(chain.rpcUrl, chain.chainId), privateKey, receiptTimeout: 200, unreachableWait: 1_000 });
  facilitator = await startFacilitator({ submitter, assets: [chain.money.testDollar], depth: DEPTH });
  // blocks that reorganisations may take: what the tests stand on lies below
  await chain.mine(20);
});
afterEach(() => chain[Symbol.asyncDispose]());

const quote = (scheme: Quote['scheme'], amount: bigint): PaymentRequirements =>
  requirementsOf({ scheme, rpc: submitter.rpc, asset: chain.money.testDollar, payTo: SHOP, amount, facilitator: facilitator.address });
const balanceRead = (): Promise<bigint> => {
  const rpc = connectRpc(chain.rpcUrl, chain.chainId);
  return contractCaller(rpc, undefined, chain.money.testDollar, testDollarAbi).read('balanceOf', [SHOP]);
};
/** Polls as long as a busy machine may take. */
const soon = <T>(read: () => Promise<T>) => expect.poll(read, { timeout: 20_000, interval: 5 });
/** Mines until `work` ends. */
async function mineUntil<T>(work: Promise<T>): Promise<T> {
  let ended = false;
  const end = (): void => void (ended = true);
  work.then(end, end);
  await expect
    .poll(
      async () => {
        await chain.mine();
        return ended;
      },
      { timeout: 30_000, interval: 20 },
    )
    .toBe(true);
  return work;
}
/** No nonce is stuck: one more payment goes through. */
async function expectWorking(): Promise<void> {
  await chain.automine(true);
  const requirements = quote('exact', 1n);
  const before = await balanceRead();
  expect(await facilitator.settle(await payer.pay(requirements), requirements)).toMatchObject({ success: true });
  expect((await balanceRead()) - before).toBe(1n);
}

const payments = async (scheme: 'exact' | 'upto', amount: bigint, count: number): Promise<[PaymentPayload, PaymentRequirements][]> =>
  Promise.all(Array.from({ length: count }, async () => [await payer.pay(quote(scheme, amount)), quote(scheme, amount)] as const)) as never;

describe('reorganisations', () => {
  const depths = nightly ? [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12] : [1, 12];
  for (const scheme of ['exact', 'upto'] as const) {
    test.each(depths)(`${scheme}: %i blocks take the payment away: it is made again, once`, async (depth) => {
      const [[payment, requirements]] = (await payments(scheme, 40n, 1)) as [[PaymentPayload, PaymentRequirements]];
      const settling = facilitator.settleFinally(payment, requirements);
      await soon(balanceRead).toBe(40n);
      await chain.mine(depth - 1);
      await chain.reorganise(depth);
      const settlement = await mineUntil(settling);
      expect(settlement).toMatchObject({ amount: 40n });
      expect(await balanceRead()).toBe(40n);
      await expectWorking();
    });
  }

  test('a payment that lies deep enough is not made again, and is found by who asks again', async () => {
    const [[payment, requirements]] = (await payments('exact', 40n, 1)) as [[PaymentPayload, PaymentRequirements]];
    const settlement = await mineUntil(facilitator.settleFinally(payment, requirements));
    expect(await mineUntil(facilitator.settleFinally(payment, requirements))).toEqual(settlement);
    expect(await balanceRead()).toBe(40n);
  });
});

describe('dropped transactions', () => {
  test.each(['exact', 'upto'] as const)('%s: what the node forgets is sent again, and paid once', async (scheme) => {
    const [[payment, requirements]] = (await payments(scheme, 40n, 1)) as [[PaymentPayload, PaymentRequirements]];
    await chain.automine(false);
    const settling = facilitator.settle(payment, requirements);
    for (let times = 0; times < 3; times++) {
      await soon(() => chain.pool()).toHaveLength(1);
      for (const hash of await chain.pool()) await chain.anvil('anvil_dropTransaction', hash);
    }
    expect(await mineUntil(settling)).toMatchObject({ success: true });
    expect(await balanceRead()).toBe(40n);
    await expectWorking();
  });
});

describe('a fee spike', () => {
  test('a transaction that offers too little is replaced at the new price, and paid once', async () => {
    const [[payment, requirements]] = (await payments('exact', 40n, 1)) as [[PaymentPayload, PaymentRequirements]];
    await chain.automine(false);
    const settling = facilitator.settle(payment, requirements);
    await soon(() => chain.pool()).toHaveLength(1);
    await chain.anvil('anvil_setNextBlockBaseFeePerGas', `0x${(10n ** 12n).toString(16)}`);
    expect(await mineUntil(settling)).toMatchObject({ success: true });
    expect(await balanceRead()).toBe(40n);
    await expectWorking();
  });

  test('one that was given up leaves no stuck nonce: the next takes its place, and the first is paid by asking again', async () => {
    const [first, second] = (await payments('exact', 40n, 2)) as [
      [PaymentPayload, PaymentRequirements],
      [PaymentPayload, PaymentRequirements],
    ];
    await chain.automine(false);
    await expect(facilitator.settle(...first)).rejects.toMatchObject({ code: 'chain_timeout', retryable: true });
    const [given] = await chain.pool();
    const settling = facilitator.settle(...second);
    await soon(async () => (await chain.pool()).includes(given!)).toBe(false);
    expect(await mineUntil(settling)).toMatchObject({ success: true });
    expect(await balanceRead()).toBe(40n);
    expect(await mineUntil(facilitator.settleFinally(...first))).toMatchObject({ amount: 40n });
    expect(await balanceRead()).toBe(80n);
    await expectWorking();
  });
});

describe('a node that does not answer', () => {
  test('before: a typed error to the caller, no verdict about the payment', async () => {
    const [[payment, requirements]] = (await payments('exact', 40n, 1)) as [[PaymentPayload, PaymentRequirements]];
    chain.cut();
    await expect(facilitator.verify(payment, requirements)).rejects.toMatchObject({ code: 'chain_unreachable', retryable: true });
    await expect(facilitator.settle(payment, requirements)).rejects.toMatchObject({ code: 'chain_unreachable', retryable: true });
    chain.mend();
    expect(await facilitator.settle(payment, requirements)).toMatchObject({ success: true });
    expect(await balanceRead()).toBe(40n);
  });

  test.each(['exact', 'upto'] as const)('%s: while a transaction waits: it is waited for, and paid once', async (scheme) => {
    const [[payment, requirements]] = (await payments(scheme, 40n, 1)) as [[PaymentPayload, PaymentRequirements]];
    await chain.automine(false);
    const settling = facilitator.settle(payment, requirements);
    await soon(() => chain.pool()).toHaveLength(1);
    chain.cut();
    await chain.mine();
    chain.mend();
    expect(await mineUntil(settling)).toMatchObject({ success: true });
    expect(await balanceRead()).toBe(40n);
    await expectWorking();
  });

  test('for good: the caller hears that the transaction may have been mined, and asking again pays nothing twice', async () => {
    const [[payment, requirements]] = (await payments('exact', 40n, 1)) as [[PaymentPayload, PaymentRequirements]];
    await chain.automine(false);
    const settling = facilitator.settle(payment, requirements);
    await soon(() => chain.pool()).toHaveLength(1);
    chain.cut();
    await expect(settling).rejects.toMatchObject({ code: 'chain_unreachable', retryable: true, details: { hashes: { length: 1 } } });
    await chain.mine();
    chain.mend();
    expect(await mineUntil(facilitator.settleFinally(payment, requirements))).toMatchObject({ amount: 40n });
    expect(await balanceRead()).toBe(40n);
    await expectWorking();
  });
});

test('twenty payments beside each other, through all of it: each is paid once', async () => {
  const all = [...(await payments('exact', 3n, 10)), ...(await payments('upto', 5n, 10))];
  await chain.automine(false);
  const settling = Promise.all(all.map(([payment, requirements]) => facilitator.settleFinally(payment, requirements)));
  await soon(() => chain.pool()).not.toHaveLength(0);
  for (const hash of (await chain.pool()).slice(0, 4)) await chain.anvil('anvil_dropTransaction', hash);
  await chain.mine(2);
  chain.cut();
  await chain.anvil('anvil_setNextBlockBaseFeePerGas', `0x${(10n ** 11n).toString(16)}`);
  await chain.mine();
  chain.mend();
  await chain.mine(2);
  await chain.reorganise(3);
  const settled = await mineUntil(settling);
  expect(new Set(settled.map((settlement) => settlement?.hash)).size).toBe(20);
  expect(await balanceRead()).toBe(80n);
  await expectWorking();
});

describe('troubles in any order', () => {
  const seeds = nightly ? Array.from({ length: 20 }, (_, i) => i) : [402];
  test.each(seeds)('seed %i: twelve payments, each is paid once', async (seed) => {
    const random = generator(seed);
    const all = [...(await payments('exact', 3n, 6)), ...(await payments('upto', 5n, 6))];
    await chain.automine(false);
    let made = 0;
    const mine = async (blocks: number): Promise<void> => {
      await chain.mine(blocks);
      made += blocks;
    };
    const troubles: (() => Promise<void>)[] = [
      async () => mine(1 + random(3)),
      async () => {
        for (const hash of await chain.pool()) if (random(2) === 0) await chain.anvil('anvil_dropTransaction', hash);
      },
      async () => {
        const depth = Math.min(made, 1 + random(12));
        if (depth > 0) await chain.reorganise(depth);
      },
      async () => void (await chain.anvil('anvil_setNextBlockBaseFeePerGas', `0x${(10n ** BigInt(9 + random(3))).toString(16)}`)),
      async () => {
        chain.cut();
        await mine(random(2));
        chain.mend();
      },
    ];
    const settling = Promise.all(all.map(([payment, requirements]) => facilitator.settleFinally(payment, requirements)));
    for (let step = 0; step < 25; step++) {
      await troubles[random(troubles.length)]!();
      await chain.anvil('eth_blockNumber');
    }
    const settled = await mineUntil(settling);
    expect(new Set(settled.map((settlement) => settlement?.hash)).size).toBe(12);
    expect(await balanceRead()).toBe(48n);
    await expectWorking();
  });
});

/** Whole numbers below a bound, the same for the same seed (a linear congruential generator: Numerical Recipes, section 7.1). */
function generator(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}
