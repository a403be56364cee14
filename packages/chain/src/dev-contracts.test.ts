import { afterAll, beforeAll, expect, test } from 'vitest';
import { contractCaller } from './contract-caller.ts';
import { startDevChain } from './dev-chain.ts';
import { installDevContracts } from './dev-contracts.ts';
import { batchSettlementAbi, testDollarAbi } from './payments/abis.gen.ts';
import { BATCH_SETTLEMENT, MULTICALL3, paymentContracts } from './payments/addresses.ts';
import { checkPaymentContracts } from './payments/check-contracts.ts';
import { connectRpc } from './rpc.ts';
import { temporaryFolder } from './testing/folders.ts';
import { type TestNetwork, startTestNetwork } from './testing/network.ts';

const SOMEBODY = `0x${'52'.repeat(20)}` as const;
let network: TestNetwork;
beforeAll(async () => {
  network = await startTestNetwork();
});
afterAll(() => network.close());

test('every contract that payments need stands at its address', async () => {
  const rpc = connectRpc(network.dev.rpcUrl, network.dev.chainId);
  await expect(checkPaymentContracts(rpc)).resolves.toBeUndefined();
  expect(await Promise.all(Object.values(paymentContracts).map(rpc.hasCode))).not.toContain(false);
});

test('installing again changes nothing', async () => {
  const { rpcUrl, chainId, devAccount } = network.dev;
  const rpc = connectRpc(rpcUrl, chainId);
  const before = await rpc.client.getBlockNumber();
  const again = await installDevContracts({ rpcUrl, chainId, privateKey: devAccount.privateKey });
  expect(again.testDollar).toBe(network.money.testDollar);
  expect(await rpc.client.getBlockNumber()).toBe(before);
});

test('the test dollar has what x402 asks tokens for, and the development account has the money', async () => {
  const { rpcUrl, chainId, devAccount } = network.dev;
  const { testDollar, fundDollars } = network.money;
  const dollar = contractCaller(connectRpc(rpcUrl, chainId), undefined, testDollar, testDollarAbi);
  expect([await dollar.read('name', []), await dollar.read('version', []), await dollar.read('decimals', [])]).toEqual([
    'Test Dollar',
    '1',
    6,
  ]);
  await fundDollars(SOMEBODY, 5n);
  await fundDollars(SOMEBODY, 3n);
  expect(await dollar.read('balanceOf', [SOMEBODY])).toBe(5n);
  expect(await dollar.read('balanceOf', [devAccount.address])).toBe(10n ** 15n - 5n);
});

test('the escrow signs for its canonical address and this chain', async () => {
  const rpc = connectRpc(network.dev.rpcUrl, network.dev.chainId);
  const config = {
    payer: SOMEBODY,
    payerAuthorizer: SOMEBODY,
    receiver: SOMEBODY,
    receiverAuthorizer: SOMEBODY,
    token: SOMEBODY,
    withdrawDelay: 900,
    salt: `0x${'07'.repeat(32)}` as const,
  };
  const { computeChannelId } = await import('@x402/evm/batch-settlement/client');
  const escrow = contractCaller(rpc, undefined, BATCH_SETTLEMENT, batchSettlementAbi);
  expect(await escrow.read('getChannelId', [config])).toBe(computeChannelId(config, network.dev.chainId));
});

test('contracts and money survive a restart of the chain', async () => {
  await using folder = await temporaryFolder();
  const first = await startDevChain({ dataDir: folder.path });
  const privateKey = first.devAccount.privateKey;
  const { testDollar, fundDollars } = await installDevContracts({ rpcUrl: first.rpcUrl, chainId: first.chainId, privateKey });
  await fundDollars(SOMEBODY, 9n);
  await first.stop();
  await using second = await startDevChain({ dataDir: folder.path });
  expect(second.restored).toBe(true);
  const rpc = connectRpc(second.rpcUrl, second.chainId);
  expect(await contractCaller(rpc, undefined, testDollar, testDollarAbi).read('balanceOf', [SOMEBODY])).toBe(9n);
  expect(await rpc.hasCode(MULTICALL3)).toBe(true);
  const again = await installDevContracts({ rpcUrl: second.rpcUrl, chainId: second.chainId, privateKey });
  expect(again.testDollar).toBe(testDollar);
});
