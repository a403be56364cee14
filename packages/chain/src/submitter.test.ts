import { type Hex32 } from '@commonweight/protocol';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { limits } from './limits.ts';
import { jsonRpc } from './platform/json-rpc.ts';
import { type Rpc, connectRpc } from './rpc.ts';
import { Submitter } from './submitter.ts';
import { type TestNetwork, startTestNetwork } from './testing/network.ts';

const SOMEBODY = `0x${'52'.repeat(20)}` as const;
let network: TestNetwork;
let rpc: Rpc;
beforeAll(async () => {
  network = await startTestNetwork();
  rpc = connectRpc(network.dev.rpcUrl, network.dev.chainId);
});
afterAll(() => network.close());

const fundedKey = async (): Promise<Hex32> => (await network.newClient()).privateKey;

test('one after the other, in order, with consecutive nonces', async () => {
  const submitter = new Submitter({ rpc, privateKey: await fundedKey() });
  const receipts = await Promise.all([1n, 2n, 3n, 4n].map((value) => submitter.send({ to: SOMEBODY, value })));
  const blocks = receipts.map(({ blockNumber }) => blockNumber);
  expect(blocks).toEqual(blocks.toSorted((a, b) => Number(a - b)));
  expect(await rpc.client.getTransactionCount({ address: submitter.account.address })).toBe(4);
});

test('two submitters of one key, as in two processes: every transaction is mined once', async () => {
  const privateKey = await fundedKey();
  const both = [new Submitter({ rpc, privateKey }), new Submitter({ rpc, privateKey })];
  const before = await rpc.balance(SOMEBODY);
  await Promise.all(both.flatMap((submitter) => [1, 2, 3].map(() => submitter.send({ to: SOMEBODY, value: 1n }))));
  expect((await rpc.balance(SOMEBODY)) - before).toBe(6n);
});

test('a failed transaction does not block the next', async () => {
  const submitter = new Submitter({ rpc, privateKey: await fundedKey() });
  const failing = submitter.send({ to: SOMEBODY, value: 10n ** 30n });
  const following = submitter.send({ to: SOMEBODY, value: 1n });
  await expect(failing).rejects.toMatchObject({ code: 'chain_rpc' });
  expect((await following).status).toBe('success');
});

test('a full queue refuses, and takes again when it is empty', async () => {
  const submitter = new Submitter({ rpc, privateKey: await fundedKey() });
  let open = (): void => undefined;
  const gate = new Promise<void>((resolve) => (open = resolve));
  const waiting = Array.from({ length: limits.queuedTransactions }, () => submitter.exclusive(() => gate));
  await expect(submitter.exclusive(() => gate)).rejects.toMatchObject({ code: 'chain_busy', retryable: true });
  open();
  await Promise.all(waiting);
  expect((await submitter.send({ to: SOMEBODY, value: 1n })).status).toBe('success');
});

test('a transaction that is not mined is replaced at a higher fee, and happens once', async () => {
  const submitter = new Submitter({ rpc, privateKey: await fundedKey(), receiptTimeout: 100 });
  const before = await rpc.balance(SOMEBODY);
  await jsonRpc(rpc.url, 'evm_setAutomine', [false]);
  try {
    const sending = submitter.send({ to: SOMEBODY, value: 1n });
    const first = await pending();
    await expect.poll(async () => (await pending()).hash !== first.hash, { timeout: 5_000, interval: 5 }).toBe(true);
    await jsonRpc(rpc.url, 'evm_mine');
    const receipt = await sending;
    expect(receipt.effectiveGasPrice).toBeGreaterThan(0n);
    expect(receipt.transactionHash).not.toBe(first.hash);
  } finally {
    await jsonRpc(rpc.url, 'evm_setAutomine', [true]);
  }
  expect((await rpc.balance(SOMEBODY)) - before).toBe(1n);
});

test('a transaction that is never mined ends with chain_timeout after a bounded number of replacements', async () => {
  const submitter = new Submitter({ rpc, privateKey: await fundedKey(), receiptTimeout: 20 });
  await jsonRpc(rpc.url, 'evm_setAutomine', [false]);
  try {
    await expect(submitter.send({ to: SOMEBODY, value: 1n })).rejects.toMatchObject({
      code: 'chain_timeout',
      retryable: true,
      details: { hashes: { length: limits.replacements + 1 } },
    });
  } finally {
    await jsonRpc(rpc.url, 'evm_setAutomine', [true]);
  }
});

test('transactions of one key wait for the same block, and an exclusive work waits for them', async () => {
  const submitter = new Submitter({ rpc, privateKey: await fundedKey() });
  await jsonRpc(rpc.url, 'evm_setAutomine', [false]);
  try {
    const sending = [1n, 2n, 3n].map((value) => submitter.send({ to: SOMEBODY, value }));
    const after = submitter.exclusive(async () => rpc.client.getTransactionCount({ address: submitter.account.address }));
    await expect.poll(() => pendingCount(), { timeout: 20_000 }).toBe(3);
    await jsonRpc(rpc.url, 'evm_mine');
    const blocks = (await Promise.all(sending)).map(({ blockNumber }) => blockNumber);
    expect(new Set(blocks).size).toBe(1);
    expect(await after).toBe(3);
  } finally {
    await jsonRpc(rpc.url, 'evm_setAutomine', [true]);
  }
});

test('a transaction that an earlier process left behind is replaced when nobody mines it; both happen once if that process still lives', async () => {
  const privateKey = await fundedKey();
  const before = await rpc.balance(SOMEBODY);
  await jsonRpc(rpc.url, 'evm_setAutomine', [false]);
  try {
    const left = new Submitter({ rpc, privateKey, receiptTimeout: 2_000 }).send({ to: SOMEBODY, value: 5n });
    const first = await pending();
    const sending = new Submitter({ rpc, privateKey, receiptTimeout: 100 }).send({ to: SOMEBODY, value: 7n });
    await expect.poll(async () => (await pending()).hash !== first.hash, { timeout: 20_000, interval: 5 }).toBe(true);
    await jsonRpc(rpc.url, 'evm_mine');
    expect((await sending).status).toBe('success');
    await jsonRpc(rpc.url, 'evm_setAutomine', [true]);
    expect((await left).status).toBe('success');
  } finally {
    await jsonRpc(rpc.url, 'evm_setAutomine', [true]);
  }
  expect((await rpc.balance(SOMEBODY)) - before).toBe(12n);
});

async function pendingCount(): Promise<number> {
  return ((await jsonRpc(rpc.url, 'eth_getBlockByNumber', ['pending', true])) as { transactions: unknown[] }).transactions.length;
}

/** The one transaction in the pool. */
async function pending(): Promise<{ hash: string }> {
  return expect
    .poll(async () => {
      const block = (await jsonRpc(rpc.url, 'eth_getBlockByNumber', ['pending', true])) as { transactions: { hash: string }[] };
      return block.transactions.length;
    })
    .toBe(1)
    .then(
      async () =>
        ((await jsonRpc(rpc.url, 'eth_getBlockByNumber', ['pending', true])) as { transactions: { hash: string }[] }).transactions[0]!,
    );
}
