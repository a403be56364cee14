import { addressOfKey } from '@commonweight/protocol';
import { expect, test } from 'vitest';
import { contractCaller } from './contract-caller.ts';
import { generateKey } from './keys.ts';
import { testDollarAbi } from './payments/abis.gen.ts';
import { connectRpc } from './rpc.ts';
import { Submitter } from './submitter.ts';
import { startTroubleChain } from './testing/trouble-chain.ts';

test('changes that stand on none of each other share a block; one that is refused is not sent', async () => {
  await using chain = await startTroubleChain();
  const privateKey = generateKey();
  await chain.fund(addressOfKey(privateKey));
  const rpc = connectRpc(chain.rpcUrl, chain.chainId);
  const dollars = contractCaller(rpc, new Submitter({ rpc, privateKey }), chain.money.testDollar, testDollarAbi);
  const spender = (n: number): `0x${string}` => `0x${n.toString(16).padStart(40, '0')}`;
  await chain.automine(false);
  const approvals = [1, 2, 3].map((n) => dollars.writeBeside('approve', [spender(n), 5n]));
  await expect.poll(() => chain.pool(), { timeout: 20_000 }).toHaveLength(3);
  await expect(dollars.writeBeside('transfer', [spender(1), 1n])).rejects.toMatchObject({ code: 'chain_reverted' });
  await chain.mine();
  const blocks = (await Promise.all(approvals)).map(({ blockNumber }) => blockNumber);
  expect(new Set(blocks).size).toBe(1);
});
