import { type Hex32, canonicalize, sha256, toHex, utf8 } from '@commonweight/protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { modelSharesAbi, parametersAbi } from './abis.gen.ts';
import { type Chain, connectChain } from './clients.ts';
import { contractCaller } from './contract-caller.ts';
import { lineId } from './model-lines-client.ts';
import { testDollarAbi } from './payments/abis.gen.ts';
import { jsonRpc } from './platform/json-rpc.ts';
import { connectRpc } from './rpc.ts';
import { Submitter } from './submitter.ts';
import { type TestNetwork, startTestNetwork } from './testing/network.ts';

let network: TestNetwork;
let author: Chain;
let stranger: Chain;
beforeAll(async () => {
  network = await startTestNetwork();
  author = (await network.newClient()).chain;
  stranger = (await network.newClient()).chain;
});
afterAll(() => network.close());

const hash = (text: string): Hex32 => toHex(sha256(utf8(text)));
let made = 0;

/** A manifest as far as the registry reads it, over weights of its own. */
function newModel(over: Hex32 = hash(`weights ${made++}`)) {
  const manifest = utf8(canonicalize({ files: [{ name: 'weights.bin', root: over, size: made++ }], generation: {} }));
  const record = { modelId: toHex(sha256(manifest)), weightsRoot: over, manifestPointer: '', cardDigest: hash('card'), cardPointer: '' };
  return { manifest, record };
}

describe('records', () => {
  test('a false one is removed for half of its deposit, and the rightful registrant publishes; a true one resists, and is proven once', async () => {
    const { manifest, record } = newModel();
    const { modelId, weightsRoot } = record;
    const stolen = { ...record, weightsRoot: hash('weights of the thief') };
    await stranger.publishModel(stolen);
    const deposit = await author.modelDeposit();
    expect(await author.modelInfo(modelId)).toMatchObject({ owner: stranger.account, depositor: stranger.account, deposit, proven: false });
    await expect(author.publishModel(record)).rejects.toMatchObject({ details: { reason: 'AlreadyPublished' } });
    await expect(author.proveModel(modelId, manifest)).rejects.toMatchObject({ details: { reason: 'RecordIsFalse' } });
    await expect(author.challengeModel(modelId, utf8('other bytes'))).rejects.toMatchObject({ details: { reason: 'NotTheManifest' } });

    await author.challengeModel(modelId, manifest);
    expect(await author.modelInfo(modelId)).toBeUndefined();
    expect(await author.weightsOwner(stolen.weightsRoot)).toBeUndefined();
    expect(await author.modelCredit(author.account!)).toBe(deposit / 2n);
    const wallet = `0x${'77'.repeat(20)}` as const;
    expect(await author.withdrawModelCredit(wallet)).toBe(deposit / 2n);
    expect(await author.withdrawModelCredit(wallet)).toBe(0n);
    expect(await author.balance(wallet)).toBe(deposit / 2n);

    expect(await author.publishModel(record)).toBe(true);
    expect(await author.weightsOwner(weightsRoot)).toBe(author.account);
    await expect(stranger.challengeModel(modelId, manifest)).rejects.toMatchObject({ details: { reason: 'RecordIsTrue' } });
    expect(await stranger.proveModel(modelId, manifest)).toBe(true);
    expect(await stranger.proveModel(modelId, manifest)).toBe(false);
    expect(await author.modelInfo(modelId)).toMatchObject({ owner: author.account, proven: true });
  });

  test('the deposit goes back after the window', async () => {
    const { record } = newModel();
    const { modelId } = record;
    await stranger.publishModel(record);
    const before = await stranger.modelCredit(stranger.account!);
    const { deposit, publishedAt, reclaimableFrom } = (await author.modelInfo(modelId))!;
    await expect(author.returnModelDeposit(modelId)).rejects.toMatchObject({ details: { reason: 'NotYetReclaimable' } });
    await jsonRpc(network.dev.rpcUrl, 'evm_increaseTime', [reclaimableFrom - publishedAt]);
    await jsonRpc(network.dev.rpcUrl, 'evm_mine');
    expect(await author.returnModelDeposit(modelId)).toBe(true);
    expect(await author.returnModelDeposit(modelId)).toBe(false);
    expect(await stranger.modelCredit(stranger.account!)).toBe(before + deposit);
    expect(await author.modelInfo(modelId)).toMatchObject({ deposit: 0n });
  });

  test('weights change hands in two steps', async () => {
    const { record } = newModel();
    await author.publishModel(record);
    await expect(stranger.acceptWeights(record.weightsRoot)).rejects.toMatchObject({ details: { reason: 'NotPendingOwner' } });
    await author.offerWeights(record.weightsRoot, stranger.account);
    await author.offerWeights(record.weightsRoot, undefined);
    await expect(stranger.acceptWeights(record.weightsRoot)).rejects.toMatchObject({ details: { reason: 'NotPendingOwner' } });
    await author.offerWeights(record.weightsRoot, stranger.account);
    await stranger.acceptWeights(record.weightsRoot);
    expect(await author.modelOwner(record.modelId)).toBe(stranger.account);
  });
});

describe('versions and tags', () => {
  test('a line grows, its tags move, it changes hands', async () => {
    const models = [newModel(), newModel(), newModel()].map(({ record }) => record);
    const [first, second, third] = models.map(({ modelId }) => modelId) as [Hex32, Hex32, Hex32];
    for (const model of models) await author.publishModel(model);
    const { line, opened } = await author.openLine('smol');
    expect([line, opened]).toEqual([lineId(author.account!, 'smol'), true]);
    expect(await author.openLine('smol')).toEqual({ line, opened: false });
    expect(await author.lineInfo(hash('no line'))).toBeUndefined();

    expect(await author.appendVersion(line, first)).toBe(true);
    expect(await author.appendVersion(line, first)).toBe(false);
    expect(await author.appendVersion(line, second)).toBe(true);
    expect(await author.modelVersions(line)).toEqual([first, second]);
    expect(await author.tagModel(line, 'latest', first)).toBe(true);
    expect(await author.tagModel(line, 'stable', first)).toBe(true);
    expect(await author.tagModel(line, 'latest', second)).toBe(true);
    expect(await author.tagModel(line, 'latest', second)).toBe(false);
    expect(await author.lineInfo(line)).toEqual({
      line,
      owner: author.account,
      pendingOwner: undefined,
      name: 'smol',
      versionCount: 2,
      tags: { latest: second, stable: first },
    });
    expect(await author.tagModel(line, 'stable', undefined)).toBe(true);
    expect((await author.listLines()).find((entry) => entry.line === line)!.tags).toEqual({ latest: second });
    await expect(author.tagModel(line, 'next', third)).rejects.toMatchObject({ details: { reason: 'NotVersion' } });
    await expect(author.tagModel(line, 'x'.repeat(32), first)).rejects.toMatchObject({
      code: 'decode',
      message: expect.stringContaining('31 bytes') as string,
    });
    await expect(stranger.appendVersion(line, third)).rejects.toMatchObject({ details: { reason: 'NotOwner' } });

    await author.offerLine(line, stranger.account);
    expect(await author.lineInfo(line)).toMatchObject({ pendingOwner: stranger.account });
    await stranger.acceptLine(line);
    await expect(stranger.appendVersion(line, third)).rejects.toMatchObject({ details: { reason: 'NotModelOwner' } });
    expect(await stranger.tagModel(line, 'latest', first)).toBe(true);
  });
});

describe('shares', () => {
  test('a model with two parents: founded once, sold in part, earnings collected', async () => {
    const child = newModel();
    const parents = [hash('first parent'), hash('second parent')].map((weightsRoot, i) => ({ weightsRoot, part: [6_000, 4_000][i]! }));
    const { modelId, weightsRoot } = child.record;
    await author.publishModel(child.record);
    await expect(author.foundShares(weightsRoot, parents)).rejects.toMatchObject({ details: { reason: 'NotProven' } });
    await author.proveModel(modelId, child.manifest);
    await expect(stranger.foundShares(weightsRoot, parents)).rejects.toMatchObject({ details: { reason: 'NotOwner' } });
    expect(await author.sharesInfo(weightsRoot)).toBeUndefined();
    expect(await author.foundShares(weightsRoot, parents, 250)).toBe(true);
    expect(await author.foundShares(weightsRoot, parents, 250)).toBe(false);
    expect(await author.sharesInfo(weightsRoot)).toEqual({ parents, royalty: 250 });
    await author.sendShares(weightsRoot, stranger.account!, 250_000n);
    expect(await author.sharesOf(weightsRoot, author.account!)).toBe(750_000n);
    expect(await author.shareEarnings(weightsRoot, author.account!)).toEqual([]);

    await giveRevenue(weightsRoot, 1_000_000n);
    const asset = network.money.testDollar;
    expect(await author.shareEarnings(weightsRoot, author.account!)).toEqual([{ asset, amount: 750_000n }]);
    expect(await stranger.collectShareEarnings(weightsRoot)).toEqual([{ asset, amount: 250_000n }]);
    expect(await stranger.collectShareEarnings(weightsRoot)).toEqual([]);
    const { rpcUrl, chainId } = network.dev;
    const dollars = contractCaller(connectRpc(rpcUrl, chainId), undefined, asset, testDollarAbi);
    expect(await dollars.read('balanceOf', [stranger.account!])).toBe(250_000n);
  });

  test('a client without a key is told so', async () => {
    const { rpcUrl, chainId } = network.dev;
    const reader = await connectChain({ rpcUrl, chainId, deployments: network.deployments });
    for (const refused of [
      reader.openLine('x'),
      reader.withdrawModelCredit(network.money.testDollar),
      reader.collectShareEarnings(hash('w')),
    ]) {
      await expect(refused).rejects.toMatchObject({ code: 'chain_read_only' });
    }
  });

  async function giveRevenue(weightsRoot: Hex32, amount: bigint): Promise<void> {
    const { rpcUrl, chainId } = network.dev;
    const { privateKey, chain } = await network.newClient();
    const rpc = connectRpc(rpcUrl, chainId);
    const submitter = new Submitter({ rpc, privateKey });
    const { modelShares, parameters } = network.deployments;
    const asset = network.money.testDollar;
    expect(await contractCaller(rpc, undefined, parameters, parametersAbi).read('stakeRatio', [asset])).toBeGreaterThan(0n);
    await network.money.fundDollars(chain.account!, amount);
    await contractCaller(rpc, submitter, asset, testDollarAbi).write('approve', [modelShares, amount]);
    await contractCaller(rpc, submitter, modelShares, modelSharesAbi).write('distribute', [weightsRoot, asset, amount]);
  }
});
