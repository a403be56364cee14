import {
  MerkleTag,
  MerkleTree,
  type Hex32,
  ZERO_ADDRESS,
  ZERO_HEX32,
  addressOfKey,
  fromHex,
  sha256,
  toHex,
  utf8,
  postedRootOf,
} from '@commonweight/protocol';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectChain } from './clients.ts';
import { readDeployments, writeDeployments } from './deployments.ts';
import { generateKey } from './keys.ts';
import type { ModelPrice } from './nodes-client.ts';
import { temporaryFolder } from './testing/folders.ts';
import { type TestNetwork, startTestNetwork } from './testing/network.ts';

let network: TestNetwork;
beforeAll(async () => {
  network = await startTestNetwork();
});
afterAll(() => network.close());

const hash = (text: string): Hex32 => toHex(sha256(utf8(text)));
const byPromptPrice = (a: ModelPrice, b: ModelPrice): number => Number(a.promptPrice - b.promptPrice);
const free = (modelId: Hex32): ModelPrice => ({ modelId, asset: ZERO_ADDRESS, promptPrice: 0n, completionPrice: 0n });
const registration = (name: string) => ({
  sessionPrivateKey: generateKey(),
  endpoint: `http://${name}`,
  prices: [free(hash(`model of ${name}`))],
});

describe('deployments', () => {
  test('deployments.json survives a round trip; a damaged one is an error', async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, 'deployments.json');
    expect(await readDeployments(path)).toBeUndefined();
    await writeDeployments(path, network.deployments);
    expect(await readDeployments(path)).toEqual(network.deployments);
    expect(JSON.parse(await readFile(path, 'utf8'))).toEqual(network.deployments);
    await writeDeployments(path, { ...network.deployments, receiptLog: '0x00' });
    await expect(readDeployments(path)).rejects.toMatchObject({ code: 'dev_chain_file', message: expect.stringContaining('receiptLog') });
  });
});

describe('models', () => {
  const model = {
    modelId: hash('manifest'),
    weightsRoot: hash('weights'),
    manifestPointer: 'http://m',
    cardDigest: hash('card'),
    cardPointer: 'http://c',
  };

  test('publish, publish again, new card, another owner', async () => {
    const { chain } = await network.newClient();
    expect(await chain.modelInfo(model.modelId)).toBeUndefined();
    expect(await chain.modelOwner(model.modelId)).toBeUndefined();
    expect(await chain.publishModel(model)).toBe(true);
    expect(await chain.publishModel(model)).toBe(false);
    expect(await chain.modelInfo(model.modelId)).toMatchObject({ ...model, owner: chain.account });
    expect(await chain.publishModel({ ...model, cardDigest: hash('card 2') })).toBe(true);
    expect((await chain.listModels()).find(({ modelId }) => modelId === model.modelId)).toMatchObject({ cardDigest: hash('card 2') });

    const { chain: stranger } = await network.newClient();
    await expect(stranger.publishModel(model)).rejects.toMatchObject({ code: 'chain_reverted', details: { reason: 'AlreadyPublished' } });
    const sameWeights = { ...model, modelId: hash('second manifest') };
    await expect(stranger.publishModel(sameWeights)).rejects.toMatchObject({
      code: 'chain_reverted',
      retryable: false,
      message: expect.stringContaining('NotOwner'),
      details: { reason: 'NotOwner' },
    });
    expect(await chain.publishModel(sameWeights)).toBe(true);
    expect(await chain.modelOwner(sameWeights.modelId)).toBe(chain.account);
  });
});

describe('nodes', () => {
  test('register is idempotent and mends what differs', async () => {
    const { chain } = await network.newClient();
    const wanted = registration('a');
    expect(await chain.registerNode(wanted)).toBe(1);
    expect(await chain.registerNode(wanted)).toBe(0);
    const minimum = await chain.minimumBond();
    expect(await chain.nodeInfo(chain.account!)).toMatchObject({
      node: chain.account,
      sessionKey: addressOfKey(wanted.sessionPrivateKey),
      endpoint: 'http://a',
      encryptionKey: ZERO_HEX32,
      prices: wanted.prices,
      models: wanted.prices.map(({ modelId }) => modelId),
      bond: minimum,
      active: true,
      exitableAt: 0,
    });
    const changed = { ...registration('b'), bond: minimum + 5n };
    expect(await chain.registerNode(changed)).toBe(3);
    expect(await chain.registerNode(changed)).toBe(0);
    expect(await chain.updateNode({ endpoint: 'http://c', prices: [] })).toBe(true);
    expect(await chain.updateNode({ endpoint: 'http://c', prices: [] })).toBe(false);
    const listed = (await chain.listNodes()).find(({ node }) => node === chain.account);
    expect(listed).toMatchObject({ endpoint: 'http://c', models: [], bond: minimum + 5n });
    for (const { sessionPrivateKey } of [wanted, changed]) expect(await chain.nodeOf(addressOfKey(sessionPrivateKey))).toBe(chain.account);
    expect(await chain.nodeOf(addressOfKey(generateKey()))).toBeUndefined();
  });

  test('prices: any order, one price by itself, and what the contract refuses', async () => {
    const { chain } = await network.newClient();
    const asset = `0x${'a5'.repeat(20)}` as const;
    const prices = ['c', 'a', 'b'].map((name, i) => ({
      modelId: hash(name),
      asset,
      promptPrice: BigInt(i),
      completionPrice: 2n ** 128n - 1n,
    }));
    const offer = { endpoint: 'http://priced', encryptionKey: hash('X25519'), prices };
    await chain.registerNode({ ...registration('priced'), ...offer });
    const node = chain.account!;
    const ascending = prices.map(({ modelId }) => modelId).toSorted();
    expect(await chain.nodeInfo(node)).toMatchObject({ endpoint: 'http://priced', encryptionKey: hash('X25519'), models: ascending });
    for (const price of prices) expect(await chain.priceOf(node, price.modelId)).toEqual(price);
    expect(await chain.priceOf(node, hash('d'))).toBeUndefined();
    expect(await chain.priceOf(hash('nobody').slice(0, 42) as typeof asset, hash('a'))).toBeUndefined();

    expect(await chain.updateNode({ ...offer, prices: prices.toReversed() })).toBe(false);
    const changed = prices.map((price, i) => (i === 1 ? { ...price, promptPrice: 9n } : price));
    expect(await chain.updateNode({ ...offer, prices: changed })).toBe(true);
    expect((await chain.listNodes()).find((entry) => entry.node === node)!.prices.toSorted(byPromptPrice)).toEqual(
      changed.toSorted(byPromptPrice),
    );
    expect(await chain.updateNode({ ...offer, encryptionKey: hash('new key'), prices: changed })).toBe(true);
    expect(await chain.nodeInfo(node)).toMatchObject({ encryptionKey: hash('new key') });

    const refused = (wrong: readonly ModelPrice[]) => chain.updateNode({ ...offer, prices: wrong });
    await expect(refused([prices[0]!, prices[0]!])).rejects.toMatchObject({ details: { reason: 'NotAscending' } });
    await expect(refused([{ ...prices[0]!, asset: ZERO_ADDRESS }])).rejects.toMatchObject({ details: { reason: 'NoAsset' } });
    await expect(refused(Array.from({ length: 65 }, (_, i) => free(hash(`many ${i}`))))).rejects.toMatchObject({
      details: { reason: 'TooManyModels', args: ['65', '64'] },
    });
  });

  test('a session key of another node, a small bond, an exit', async () => {
    const [{ chain: first }, { chain: second }] = [await network.newClient(), await network.newClient()];
    const mine = registration('mine');
    await first.registerNode(mine);
    await expect(second.registerNode({ ...registration('x'), sessionPrivateKey: mine.sessionPrivateKey })).rejects.toMatchObject({
      details: { reason: 'SessionKeyTaken' },
    });
    const minimum = await first.minimumBond();
    await expect(second.registerNode({ ...registration('x'), bond: 1n })).rejects.toMatchObject({
      details: { reason: 'BondTooSmall', args: ['1', String(minimum)] },
    });
    await first.requestExit();
    expect(await first.nodeInfo(first.account!)).toMatchObject({ active: false });
    await expect(first.withdraw(first.account!)).rejects.toMatchObject({ details: { reason: 'StillBonded' } });
    await expect(first.updateNode({ endpoint: 'y', prices: [] })).rejects.toMatchObject({ details: { reason: 'Exiting' } });
  });

  test('lists more nodes than one page holds', async () => {
    const { chain } = await network.newClient();
    const before = (await chain.listNodes()).length;
    const clients = await Promise.all(Array.from({ length: 70 }, () => network.newClient()));
    await Promise.all(clients.map(({ chain: client }, i) => client.registerNode(registration(`n${i}`))));
    const nodes = await chain.listNodes();
    expect(nodes.length).toBe(before + 70);
    expect(new Set(nodes.map(({ node }) => node)).size).toBe(nodes.length);
  });
});

describe('receipts', () => {
  test('batches are gapless; posting one twice is no error; inclusion is checked by the contract', async () => {
    const { chain } = await network.newClient();
    const node = chain.account!;
    await chain.registerNode(registration('poster'));
    const digests = Array.from({ length: 5 }, (_, i) => hash(`receipt ${i}`));
    const tree = new MerkleTree(MerkleTag.receipts);
    for (const digest of digests) tree.append(fromHex(digest));
    const batch = { node, batchIndex: 0, root: toHex(tree.root()), count: 5, dataDigest: hash('data') };

    expect(await chain.nextBatch(node)).toBe(0);
    expect(await chain.batch(node, 0)).toBeUndefined();
    expect(await chain.postBatch(batch)).toBe(true);
    expect(await chain.postBatch(batch)).toBe(false);
    expect(await chain.nextBatch(node)).toBe(1);
    expect(await chain.batch(node, 0)).toMatchObject({ root: postedRootOf(batch.root), count: 5 });

    await expect(chain.postBatch({ ...batch, batchIndex: 2 })).rejects.toMatchObject({
      code: 'chain_reverted',
      details: { reason: 'NotNextBatch', args: [expect.stringMatching(new RegExp(node, 'i')), '1', '2'] },
    });
    await expect(chain.postBatch({ ...batch, count: 4 })).rejects.toMatchObject({ details: { reason: 'NotNextBatch' } });
    await expect(chain.postBatch({ ...batch, batchIndex: 1, count: 0 })).rejects.toMatchObject({ details: { reason: 'EmptyBatch' } });

    for (const [i, digest] of digests.entries()) {
      const siblings = tree.proof(i).map(toHex);
      expect(await chain.verifyInclusion(node, 0, digest, i, siblings)).toBe(true);
      expect(await chain.verifyInclusion(node, 0, hash('other'), i, siblings)).toBe(false);
    }
  });

  test('only the node posts', async () => {
    const { chain } = await network.newClient();
    const { chain: stranger } = await network.newClient();
    await chain.registerNode(registration('p'));
    const batch = { node: chain.account!, batchIndex: 0, root: hash('r'), count: 1, dataDigest: hash('d') };
    await expect(stranger.postBatch(batch)).rejects.toMatchObject({ details: { reason: 'NotNode' } });
  });
});

describe('transactions and errors', () => {
  test('concurrent calls on one key all go through', async () => {
    const { chain } = await network.newClient();
    const publications = Array.from({ length: 8 }, (_, i) => ({
      modelId: hash(`parallel ${i}`),
      weightsRoot: hash('parallel weights'),
      manifestPointer: '',
      cardDigest: hash('c'),
      cardPointer: '',
    }));
    expect(await Promise.all(publications.map((model) => chain.publishModel(model)))).toEqual(publications.map(() => true));
  });

  test('no funds is a chain_rpc error', async () => {
    const { rpcUrl, chainId } = network.dev;
    const poor = await connectChain({ rpcUrl, chainId, deployments: network.deployments, privateKey: generateKey() });
    await expect(poor.registerNode(registration('poor'))).rejects.toMatchObject({
      code: 'chain_rpc',
      message: expect.stringMatching(/funds/i),
    });
  });

  test('a client without a key only reads', async () => {
    const { rpcUrl, chainId } = network.dev;
    const reader = await connectChain({ rpcUrl, chainId, deployments: network.deployments });
    expect(reader.account).toBeUndefined();
    expect(reader.domain).toEqual({ chainId, verifyingContract: network.deployments.receiptLog });
    await expect(reader.registerNode(registration('r'))).rejects.toMatchObject({ code: 'chain_read_only' });
  });

  test('another chain id, other deployments, no contracts', async () => {
    const { rpcUrl, chainId } = network.dev;
    const { deployments } = network;
    await expect(connectChain({ rpcUrl, chainId: 1, deployments })).rejects.toMatchObject({
      code: 'wrong_chain',
      details: { got: chainId, expected: 1 },
    });
    await expect(connectChain({ rpcUrl, chainId, deployments: { ...deployments, chainId: 1 } })).rejects.toMatchObject({
      code: 'wrong_chain',
    });
    const nowhere = { ...deployments, receiptLog: `0x${'12'.repeat(20)}` as const };
    await expect(connectChain({ rpcUrl, chainId, deployments: nowhere })).rejects.toMatchObject({
      code: 'wrong_chain',
      message: expect.stringContaining('receiptLog'),
    });
  });

  test('nobody listens at the RPC URL: a retryable error at once', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    server.close();
    await once(server, 'close');
    const started = performance.now();
    await expect(connectChain({ rpcUrl: `http://127.0.0.1:${port}`, chainId: 1, deployments: network.deployments })).rejects.toMatchObject({
      code: 'chain_unreachable',
      retryable: true,
    });
    expect(performance.now() - started).toBeLessThan(2_000);
  });
});
