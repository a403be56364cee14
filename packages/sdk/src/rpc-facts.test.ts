import { encodeAbiParameters, parseAbiParameters, toFunctionSelector } from 'viem';
import { expect, test } from 'vitest';
import type { Hex } from '@commonweight/protocol';
import { rpcFacts, selectors } from './rpc-facts.ts';
import { json } from './testing/gateway.ts';

const address = (byte: string) => `0x${byte.repeat(20)}` as const;
const contracts = { nodeRegistry: address('a1'), receiptLog: address('a2'), settlement: address('a3') };
const [node, key, old, asset, splitter] = [address('01'), address('02'), address('03'), address('04'), address('05')];
const modelId = `0x${'0e'.repeat(32)}` as const;

/** A chain that answers these calls. */
const asking = (answers: Readonly<Record<string, Hex>>) =>
  rpcFacts({
    rpcUrl: 'http://chain.test',
    chainId: 5,
    ...contracts,
    platform: {
      fetch: async (_, init) => {
        const { params } = JSON.parse(init!.body as string) as { params: [{ to: string; data: string }] };
        const [{ to, data }] = params;
        const result = answers[`${to} ${data.slice(0, 10)}`];
        return json(result ? { jsonrpc: '2.0', id: 1, result } : { error: { message: 'execution reverted' } });
      },
    },
  });
const at = (to: string, name: keyof typeof selectors): string => `${to} ${selectors[name]}`;
const encode = (types: string, ...values: unknown[]): Hex => encodeAbiParameters(parseAbiParameters(types) as never, values as never);

test('the selectors are those of the signatures', () => {
  for (const [name, selector] of Object.entries(selectors)) expect(selector).toBe(toFunctionSelector(name));
});

test('prices, splitter and channel', async () => {
  const facts = asking({
    [at(contracts.nodeRegistry, 'priceOf(address,bytes32)')]: encode('bytes32, address, uint128, uint128', modelId, asset, 7n, 9n),
    [at(contracts.settlement, 'splitterOf(address,bytes32)')]: encode('address', splitter),
    [at('0x4020074e9df2ce1dee5a9c1b5c3f541d02a10003', 'channels(bytes32)')]: encode('uint128, uint128', 50n, 20n),
  });
  expect(await facts.terms(node, modelId)).toEqual({ asset, promptPrice: 7n, completionPrice: 9n, payTo: splitter });
  expect(await facts.channel(modelId)).toEqual({ balance: 50n, claimed: 20n });
  await expect(facts.node(node, key)).rejects.toMatchObject({ code: 'chain_unanswered', message: expect.stringMatching(/reverted/) });
});

test('a node, with the key that signed when it is or was its own', async () => {
  const types = '(address, uint64, uint64, uint256, (string, bytes32, (bytes32, address, uint128, uint128)[]))';
  const answers = (owner: Hex) => ({
    [at(contracts.nodeRegistry, 'isRegistered(address)')]: encode('bool', true),
    [at(contracts.nodeRegistry, 'MINIMUM_BOND()')]: encode('uint256', 10n),
    [at(contracts.nodeRegistry, 'nodeOfSessionKey(address)')]: encode('address', owner),
    [at(contracts.nodeRegistry, 'nodeInfo(address)')]: encode(types, [key, 1n, 0n, 11n, ['http://n', modelId, [[modelId, asset, 1n, 2n]]]]),
  });
  expect(await asking(answers(node)).node(node, old)).toEqual({ registered: true, sessionKey: old, bond: 11n, minimumBond: 10n });
  expect(await asking(answers(address('99'))).node(node, old)).toMatchObject({ sessionKey: key });
  const unknown = asking({ [at(contracts.nodeRegistry, 'isRegistered(address)')]: encode('bool', false) });
  expect(await unknown.node(node, key)).toEqual({ registered: false });
});
