import {
  type Address,
  type Hex32,
  MerkleTag,
  MerkleTree,
  type Receipt,
  ZERO_HEX32,
  addressOfKey,
  fromHex,
  receiptDigest,
  sha256,
  signDigest,
  toHex,
  utf8,
} from '@commonweight/protocol';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { stakingAbi, tokenAbi } from './abis.gen.ts';
import { type Chain, connectChain } from './clients.ts';
import { contractCaller } from './contract-caller.ts';
import { type SignedReceipt } from './faults-client.ts';
import { generateKey } from './keys.ts';
import { connectRpc } from './rpc.ts';
import { Submitter } from './submitter.ts';
import { type TestNetwork, startTestNetwork } from './testing/network.ts';

const STAKE = 1_000n * 10n ** 18n;
const BOND = 10n * 10n ** 18n;
const PENALTY = STAKE / 10n;

let network: TestNetwork;
beforeAll(async () => {
  network = await startTestNetwork();
});
afterAll(() => network.close());

const hash = (text: string): Hex32 => toHex(sha256(utf8(text)));

/** The development account holds the votes; stake comes from it. */
const treasury = () => {
  const { rpcUrl, chainId, devAccount } = network.dev;
  const rpc = connectRpc(rpcUrl, chainId);
  const submitter = new Submitter({ rpc, privateKey: devAccount.privateKey });
  const token = contractCaller(rpc, submitter, network.deployments.token, tokenAbi);
  const staking = contractCaller(rpc, submitter, network.deployments.staking, stakingAbi);
  return { rpc, token, staking };
};

interface StakedNode {
  readonly chain: Chain;
  readonly node: Address;
  readonly sign: (changes: Partial<Receipt>) => SignedReceipt;
}

async function stakedNode(): Promise<StakedNode> {
  const { chain } = await network.newClient();
  const node = chain.account!;
  const sessionPrivateKey = generateKey();
  await chain.registerNode({ sessionPrivateKey, endpoint: 'http://node', prices: [] });
  const { token, staking } = treasury();
  await token.write('approve', [network.deployments.staking, STAKE]);
  await staking.write('stake', [node, STAKE]);
  const sign = (changes: Partial<Receipt>): SignedReceipt => {
    const receipt: Receipt = {
      node,
      payer: addressOfKey(generateKey()),
      modelId: hash('model'),
      requestHash: hash('request'),
      idsRoot: hash('ids'),
      thinRoot: hash('thin'),
      promptTokens: 3,
      completionTokens: 2,
      finishReason: 'stop_string',
      promptPrice: 5n,
      completionPrice: 7n,
      asset: network.deployments.testDollar!,
      cumulativeAmount: 1n,
      channel: hash('channel'),
      batch: 0,
      sequence: 0,
      previous: ZERO_HEX32,
      issuedAt: 1_790_000_000,
      ...changes,
    };
    return { receipt, signature: signDigest(receiptDigest(receipt, chain.domain), sessionPrivateKey) };
  };
  return { chain, node, sign };
}

async function accuser(): Promise<{ chain: Chain; tokens: () => Promise<bigint> }> {
  const { chain } = await network.newClient();
  const { token } = treasury();
  await token.write('transfer', [chain.account!, 2n * BOND]);
  return { chain, tokens: () => token.read('balanceOf', [chain.account!]) };
}

const ownStake = (node: Address): Promise<bigint> => treasury().staking.read('ownStakeOf', [node]);

async function post({ chain, node }: StakedNode, receipts: readonly SignedReceipt[]): Promise<MerkleTree> {
  const tree = new MerkleTree(MerkleTag.receipts);
  for (const { receipt } of receipts) tree.append(fromHex(receiptDigest(receipt, chain.domain)));
  const batchIndex = await chain.nextBatch(node);
  await chain.postBatch({ node, batchIndex, root: toHex(tree.root()), count: receipts.length, dataDigest: ZERO_HEX32 });
  return tree;
}

test('receipts that TypeScript signs are evidence: an equivocation costs stake at once, and once', async () => {
  const liar = await stakedNode();
  const { chain, tokens } = await accuser();
  const first = liar.sign({});
  const second = liar.sign({ ...first.receipt, cumulativeAmount: 2n, finishReason: 'cancelled' });
  await expect(chain.reportEquivocation(first, first)).rejects.toMatchObject({ details: { reason: 'NoContradiction' } });
  await chain.reportEquivocation(first, second);
  expect(await ownStake(liar.node)).toBe(STAKE - PENALTY);
  expect(await tokens()).toBe(2n * BOND + PENALTY / 2n);
  await expect(chain.reportEquivocation(second, first)).rejects.toMatchObject({ details: { reason: 'AlreadySlashed' } });
  const forged = { ...second, signature: signDigest(receiptDigest(second.receipt, chain.domain), generateKey()) };
  await expect(chain.reportEquivocation(first, forged)).rejects.toMatchObject({ details: { reason: 'NotSignedByNode' } });
});

test('a receipt in its batch answers a challenge and earns the bond; a missing one costs stake when the time is over', async () => {
  const node = await stakedNode();
  const { chain, tokens } = await accuser();
  const [there, alsoThere, missing] = [node.sign({}), node.sign({}), node.sign({})];
  const idOf = ({ receipt }: SignedReceipt): Hex32 => receiptDigest(receipt, chain.domain);
  const tree = await post(node, [there, alsoThere]);
  await chain.challengeOmission(alsoThere);
  await chain.challengeOmission(missing);
  expect(await tokens()).toBe(0n);
  await expect(chain.challengeOmission(missing)).rejects.toMatchObject({ details: { reason: 'AlreadyChallenged' } });

  const open = await node.chain.challengesOf(node.node);
  expect(open.map(({ receipt }) => receipt)).toEqual([idOf(alsoThere), idOf(missing)]);
  expect(open[0]).toMatchObject({ node: node.node, batch: 0, challenger: chain.account });
  expect(await node.chain.challengesOf(chain.account!)).toEqual([]);
  const siblings = tree.proof(1).map(toHex);
  await expect(node.chain.answerChallenge(idOf(missing), 1, siblings)).rejects.toMatchObject({ details: { reason: 'NotIncluded' } });
  expect(await node.chain.answerChallenge(idOf(alsoThere), 1, siblings)).toBe(true);
  expect(await node.chain.answerChallenge(idOf(alsoThere), 1, siblings)).toBe(false);
  expect(await treasury().token.read('balanceOf', [node.node])).toBe(BOND);

  await expect(chain.punishOmission(idOf(missing))).rejects.toMatchObject({ details: { reason: 'NotYetLost' } });
  const { rpc } = treasury();
  await rpc.call({ what: 'time' }, (client) => client.request({ method: 'evm_increaseTime', params: ['0x3d'] } as never));
  await rpc.call({ what: 'block' }, (client) => client.request({ method: 'evm_mine' } as never));
  await chain.punishOmission(idOf(missing));
  expect(await ownStake(node.node)).toBe(STAKE - PENALTY);
  expect(await tokens()).toBe(BOND + PENALTY / 2n);
  expect(await node.chain.challengesOf(node.node)).toEqual([]);
});

test('a batch that is late can be challenged, a client without a key cannot challenge', async () => {
  const node = await stakedNode();
  const { chain } = await accuser();
  const early = node.sign({ issuedAt: 4_000_000_000 });
  await expect(chain.challengeOmission(early)).rejects.toMatchObject({ details: { reason: 'NotYetDue' } });
  const late = node.sign({});
  const { rpcUrl, chainId } = network.dev;
  const reader = await connectChain({ rpcUrl, chainId, deployments: network.deployments });
  await expect(reader.challengeOmission(late)).rejects.toMatchObject({ code: 'chain_read_only' });
  await chain.challengeOmission(late);
  const tree = await post(node, [late]);
  expect(await node.chain.answerChallenge(receiptDigest(late.receipt, chain.domain), 0, tree.proof(0).map(toHex))).toBe(true);
  expect(await ownStake(node.node)).toBe(STAKE);
});
