import { type Hex32, addressOfKey } from '@commonweight/protocol';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { devParameters } from './deploy/dev-genesis.ts';
import { generateKey } from './keys.ts';
import { jsonRpc } from './platform/json-rpc.ts';
import { connectRpc } from './rpc.ts';
import { stakeForOperators } from './stake-for-operators.ts';
import { type StakingClient, connectStaking } from './staking-client.ts';
import { type TestNetwork, startTestNetwork } from './testing/network.ts';
import { connectWallet } from './wallet-client.ts';

const ether = 10n ** 18n;
const thawPeriod = Number(devParameters.parameters.find(({ name }) => name === 'thawPeriod')!.value);
let network: TestNetwork;
beforeAll(async () => {
  network = await startTestNetwork();
});
afterAll(() => network.close());

const connect = (privateKey?: Hex32): Promise<StakingClient> =>
  connectStaking({ rpcUrl: network.dev.rpcUrl, deployments: network.deployments, privateKey });

async function holderOf(tokens: bigint): Promise<StakingClient> {
  const { privateKey } = await network.newClient();
  const client = await connect(privateKey);
  const { rpcUrl, chainId, devAccount } = network.dev;
  const bank = await connectWallet({ rpcUrl, chainId, privateKey: devAccount.privateKey });
  await bank.send(network.deployments.token, client.account!, tokens);
  return client;
}

async function pass(seconds: number): Promise<void> {
  await jsonRpc(network.dev.rpcUrl, 'evm_increaseTime', [seconds]);
  await jsonRpc(network.dev.rpcUrl, 'evm_mine', []);
}

test('an operator stakes, somebody delegates, and both leave after the thaw', async () => {
  const [operator, delegator] = [await holderOf(100n * ether), await holderOf(50n * ether)];
  const id = operator.account!;
  await expect(delegator.delegate(id, ether)).rejects.toMatchObject({ details: { reason: 'NotStaked' } });
  await operator.stake(id, 60n * ether);
  await operator.stake(id, 20n * ether);
  await delegator.delegate(id, 50n * ether);
  expect(await operator.operator(id)).toEqual({
    own: { active: 80n * ether, thawing: 0n },
    delegated: { active: 50n * ether, thawing: 0n },
    reserved: 0n,
    reservedUntil: undefined,
    free: 130n * ether,
    disputes: 0,
  });

  await operator.thaw(id, 30n * ether);
  await delegator.thaw(id);
  expect(await operator.position(id, id)).toMatchObject({
    active: 50n * ether,
    thaws: [{ amount: 30n * ether, until: expect.any(Number), due: false }],
  });
  expect(await delegator.position(id, delegator.account!)).toMatchObject({ active: 0n, thaws: [{ amount: 50n * ether }] });
  await expect(operator.withdraw(id)).rejects.toMatchObject({ code: 'nothing_due', message: expect.stringMatching(/is due at 2\d{3}-/u) });
  await expect(operator.thaw(id, 51n * ether)).rejects.toMatchObject({ code: 'too_much' });

  await pass(thawPeriod);
  expect((await operator.position(id, id)).thaws).toMatchObject([{ amount: 30n * ether, due: true }]);
  await operator.withdraw(id);
  await delegator.withdraw(id);
  await expect(delegator.withdraw(id)).rejects.toMatchObject({ code: 'nothing_due', message: expect.stringContaining('thaw some first') });
  const { rpcUrl, chainId } = network.dev;
  const wallet = await connectWallet({ rpcUrl, chainId });
  expect(await wallet.balance(network.deployments.token, id)).toBe(50n * ether);
  expect(await wallet.balance(network.deployments.token, delegator.account!)).toBe(50n * ether);
  await expect((await connect()).thaw(id)).rejects.toMatchObject({ code: 'chain_read_only' });
});

test('a development network stakes for its operators once', async () => {
  const { rpcUrl, chainId, devAccount } = network.dev;
  const { deployments } = network;
  const operators = [addressOfKey(generateKey()), addressOfKey(generateKey())] as const;
  const wanted = { rpcUrl, deployments, privateKey: devAccount.privateKey, operators, amount: 7n * ether };
  const client = await connect();
  const own = async () => Promise.all(operators.map(async (operator) => (await client.operator(operator)).own.active));
  await stakeForOperators({ ...wanted, operators: operators.slice(0, 1), amount: 3n * ether });
  await stakeForOperators(wanted);
  expect(await own()).toEqual([7n * ether, 7n * ether]);
  const block = await connectRpc(rpcUrl, chainId).client.getBlockNumber();
  await stakeForOperators(wanted);
  expect(await connectRpc(rpcUrl, chainId).client.getBlockNumber()).toBe(block);
});

test('a wallet sends ether and tokens, and lets Permit2 move a token', async () => {
  const { rpcUrl, chainId } = network.dev;
  const { testDollar } = network.deployments;
  const { privateKey, chain } = await network.newClient();
  const to = chain.account!;
  const bank = await connectWallet({ rpcUrl, chainId, privateKey: network.dev.devAccount.privateKey });
  expect(await bank.asset(testDollar!)).toEqual({ symbol: expect.any(String), decimals: 6 });
  const before = await bank.balance('ether', to);
  await bank.send('ether', to, 5n);
  await bank.send(testDollar!, to, 7n);
  expect([(await bank.balance('ether', to)) - before, await bank.balance(testDollar!, to)]).toEqual([5n, 7n]);
  const wallet = await connectWallet({ rpcUrl, chainId, privateKey });
  await wallet.approvePermit2(testDollar!, 3n);
  expect(await wallet.permit2Allowance(testDollar!, to)).toBe(3n);
  await expect(wallet.send(testDollar!, bank.account!, 8n)).rejects.toMatchObject({ details: { reason: 'ERC20InsufficientBalance' } });
  await expect(wallet.asset(to)).rejects.toMatchObject({ code: 'wrong_chain' });
});
