import { join } from 'node:path';
import {
  type Frame,
  IdsCommitment,
  MerkleTag,
  type Receipt,
  ThinCommitment,
  ZERO_ADDRESS,
  addressOfKey,
  committedPositions,
  fromHex,
  isSignedBy,
  modelIdOf,
  parsePaymentRequired,
  parseReceipt,
  paymentHeaders,
  postedRootOf,
  prfKey,
  receiptDigest,
  requestHashOf,
  toHex,
  verifyInclusion,
} from '@commonweight/protocol';
import { connectChain } from '@commonweight/chain';
import { createReferenceExecutor, generate, reexecute } from '@commonweight/engine';
import type { TinyModel } from '@commonweight/engine/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readKeyFile } from '../platform/key-file.ts';
import type { WorkerConfig } from './config.ts';
import { type RunningWorker, startWorker } from './start-worker.ts';
import { type DevNetwork, startDevNetwork } from './testing/dev-network.ts';
import { allFrames, postEnd, postJson, runFrames } from './testing/frames.ts';
import { ask, signEnd } from './testing/payer.ts';
import { RecordingLog } from './testing/recording-log.ts';
import { unhurried, writeTinyPackage } from './testing/tiny-package.ts';

let network: DevNetwork;
let model: TinyModel;
let config: WorkerConfig;
let worker: RunningWorker;
const log = new RecordingLog();
let nonce = 0;

beforeAll(async () => {
  network = await startDevNetwork();
  const folder = join(network.folder, 'model');
  model = await writeTinyPackage(folder, unhurried);
  config = await network.worker('one', [folder]);
  worker = await startWorker(config, { log });
}, 60_000);

afterAll(async () => {
  await worker?.stop();
  await network?.stop();
});

const question = (maxTokens = 8, promptIds?: number[]) =>
  ask({
    domain: network.chain.domain,
    node: worker.nodeId,
    modelId: modelIdOf(model.manifest),
    nonce: nonce++,
    change: { maxTokens },
    ...(promptIds && { promptIds }),
  });

const receiptOf = (frames: readonly Frame[]) => {
  const last = frames.at(-1)!;
  if (last.type !== 'receipt') throw new Error(`expected a receipt, got ${JSON.stringify(last)}`);
  return last;
};
const idsOf = (frames: readonly Frame[]): number[] => frames.flatMap((frame) => (frame.type === 'token' ? [frame.id] : []));

async function checkReceipt(receipt: Receipt, signature: `0x${string}`): Promise<void> {
  const sessionKey = addressOfKey(await readKeyFile(config.sessionKeyFile));
  expect((await network.chain.nodeInfo(worker.nodeId))!.sessionKey).toBe(sessionKey);
  expect(isSignedBy(receiptDigest(receipt, network.chain.domain), signature, sessionKey)).toBe(true);
}

describe('a run over HTTP with the real engine', () => {
  it('gives the reference executor’s tokens and roots, signed', async () => {
    const run = question(12);
    const frames = await allFrames(worker.url, run);
    const { receipt, signature, digests } = receiptOf(frames);
    const { sampler, seed, choice, modelId } = run.request;
    const reference = generate({
      executor: createReferenceExecutor(model.manifest, model.source),
      promptIds: run.promptIds,
      sampler,
      prfKey: prfKey(modelId, sampler, seed, choice),
      stopIds: [],
      maxTokens: 12,
    });
    expect(idsOf(frames)).toEqual(reference.completionIds);
    expect(digests).toEqual(reference.commitment.bytes());
    expect(receipt).toMatchObject({
      node: worker.nodeId,
      payer: run.request.payer,
      requestHash: requestHashOf(run.request),
      promptTokens: 4,
      completionTokens: 12,
      finishReason: 'length',
      thinRoot: toHex(reference.commitment.root()),
      idsRoot: toHex(new IdsCommitment(fromHex(run.nonce), [...run.promptIds, ...reference.completionIds]).root()),
      sequence: 0,
      previous: `0x${'00'.repeat(32)}`,
    });
    await checkReceipt(receipt, signature);
    expect(frames.some((frame) => frame.type === 'prefill' && frame.done === 4)).toBe(true);
  });

  it('sends log probabilities when they are asked for, with the same tokens', async () => {
    const run = { ...question(5), logprobs: 3 };
    const frames = await allFrames(worker.url, run);
    const tokens = frames.flatMap((frame) => (frame.type === 'token' ? [frame] : []));
    const { sampler, seed, choice, modelId } = run.request;
    const again = reexecute({
      executor: createReferenceExecutor(model.manifest, model.source),
      promptIds: run.promptIds,
      completionIds: idsOf(frames),
      sampler,
      prfKey: prfKey(modelId, sampler, seed, choice),
      logprobs: 3,
    });
    expect(tokens.map(({ id }) => id)).toEqual(again.sampledIds);
    expect(tokens.map(({ logprobs }) => logprobs)).toEqual(again.logprobs);
    expect(again.logprobs[0]!.top).toHaveLength(3);
  });

  it('answers whoever says on chain that a receipt is missing', async () => {
    const { receipt, signature } = receiptOf(await allFrames(worker.url, question()));
    for (let i = 1; log.of('batch_posted').every(({ fields }) => fields['batch'] !== receipt.batch); i++) await log.next('batch_posted', i);
    await network.stake(worker.nodeId, 100n * 10n ** 18n);
    const { rpcUrl, chainId, devAccount } = network.dev;
    const accuser = await connectChain({ rpcUrl, chainId, deployments: network.chain.deployments, privateKey: devAccount.privateKey });
    await accuser.challengeOmission({ receipt, signature });
    const answered = await log.next('challenge_answered');
    expect(answered.fields).toEqual({ receipt: receiptDigest(receipt, network.chain.domain) });
    expect(await accuser.challengesOf(worker.nodeId)).toEqual([]);
  });

  it('chains receipts of one payer and puts them on chain with a proof', async () => {
    const first = receiptOf(await allFrames(worker.url, question()));
    const second = receiptOf(await allFrames(worker.url, question()));
    const digest = receiptDigest(second.receipt, network.chain.domain);
    expect(second.receipt.previous).toBe(receiptDigest(first.receipt, network.chain.domain));
    expect(second.receipt.sequence).toBe(first.receipt.sequence + 1);

    for (let i = 1; log.of('batch_posted').every(({ fields }) => fields['batch'] !== second.receipt.batch); i++)
      await log.next('batch_posted', i);
    const found = (await (await fetch(`${worker.url}/v1/receipts/${digest}`)).json()) as {
      status: string;
      receipt: unknown;
      batch: { index: number; root: `0x${string}`; count: number };
      proof: { index: number; count: number; siblings: `0x${string}`[] };
    };
    expect(found.status).toBe('posted');
    expect(parseReceipt(found.receipt)).toEqual(second.receipt);
    const { proof, batch } = found;
    const siblings = proof.siblings.map((sibling) => fromHex(sibling, 32));
    expect(verifyInclusion(MerkleTag.receipts, fromHex(digest), { ...proof, siblings }, fromHex(batch.root))).toBe(true);
    expect(await network.chain.verifyInclusion(worker.nodeId, batch.index, digest, proof.index, proof.siblings)).toBe(true);
    expect((await network.chain.batch(worker.nodeId, batch.index))!.root).toBe(postedRootOf(batch.root));

    const stored = new Uint8Array(await (await fetch(`${worker.url}/v1/receipts/${digest}/digests`)).arrayBuffer());
    expect(stored).toEqual(Uint8Array.from(second.digests));
  });

  it('stops at the payer’s end: the receipt covers exactly the tokens that it names', async () => {
    const run = question(8000);
    const frames: Frame[] = [];
    let answer: Promise<Response> | undefined;
    for await (const frame of runFrames(worker.url, run)) {
      frames.push(frame);
      if (frame.type === 'token' && frame.index === 9) answer = postEnd(worker.url, signEnd(run, network.chain.domain, 7, 'stop_string'));
    }
    const { receipt, signature, digests } = receiptOf(frames);
    expect(receipt).toMatchObject({ completionTokens: 7, finishReason: 'stop_string' });
    const ids = idsOf(frames);
    expect(ids.length).toBeLessThan(8000);
    expect(receipt.idsRoot).toBe(toHex(new IdsCommitment(fromHex(run.nonce), [...run.promptIds, ...ids.slice(0, 7)]).root()));
    const points = model.manifest.graph.commitPoints.length;
    expect(digests.length).toBe(32 * points * committedPositions(4, 7));
    expect(receipt.thinRoot).toBe(toHex(ThinCommitment.fromBytes(points, digests).root()));
    await checkReceipt(receipt, signature);

    const first = await answer!;
    expect(first.status).toBe(200);
    const again = await postEnd(worker.url, signEnd(run, network.chain.domain, 7, 'stop_string'));
    expect(await again.json()).toEqual(await first.json());
    const other = await postEnd(worker.url, signEnd(run, network.chain.domain, 6, 'stop_string'));
    expect([other.status, ((await other.json()) as Frame).type]).toEqual([409, 'error']);
  });

  it('a reader that goes away without an end stops the engine and gets no receipt', async () => {
    const run = question(8000);
    const before = log.of('run_abandoned').length;
    const gone = new AbortController();
    const read = (async () => {
      for await (const frame of runFrames(worker.url, run, gone.signal)) if (frame.type === 'token' && frame.index === 5) gone.abort();
    })();
    await expect(read).rejects.toThrow(/abort/i);
    // the slot is free at once, long before anything is said about the run's end
    expect(receiptOf(await allFrames(worker.url, question())).receipt.completionTokens).toBe(8);
    await worker.stop();
    worker = await startWorker(config, { log });
    const { tokens } = (await log.next('run_abandoned', before + 1)).fields as { tokens: number };
    expect(tokens).toBeLessThan(4000);
    expect((await postEnd(worker.url, signEnd(run, network.chain.domain, 1, 'cancelled'))).status).toBe(404);
  });

  it('a reader that goes away and signs its end gets the receipt from the end', async () => {
    const run = question(8000);
    const gone = new AbortController();
    const read = (async () => {
      for await (const frame of runFrames(worker.url, run, gone.signal)) if (frame.type === 'token' && frame.index === 5) gone.abort();
    })();
    await expect(read).rejects.toThrow(/abort/i);
    const answer = await postEnd(worker.url, signEnd(run, network.chain.domain, 3, 'cancelled'));
    expect(answer.status).toBe(200);
    const { receipt } = (await answer.json()) as { receipt: Receipt };
    expect(receipt).toMatchObject({ completionTokens: 3, finishReason: 'cancelled' });
    expect((await fetch(`${worker.url}/v1/receipts/${receiptDigest(parseReceipt(receipt), network.chain.domain)}`)).status).toBe(200);
  });

  it('refuses a request that was answered, in a body that names it', async () => {
    const run = question();
    receiptOf(await allFrames(worker.url, run));
    const answer = await postJson(`${worker.url}/v1/run`, run);
    expect([answer.status, await answer.json()]).toMatchObject([409, { type: 'error', code: 'replay', retryable: false }]);
  });

  it('is registered and healthy', async () => {
    expect(await network.chain.nodeInfo(worker.nodeId)).toMatchObject({
      endpoint: worker.url,
      models: [modelIdOf(model.manifest)],
      active: true,
    });
    const prefixCache = { entries: expect.any(Number) as number, bytes: expect.any(Number) as number, lookups: 2, hits: 0, reused: 0 };
    expect(await (await fetch(`${worker.url}/health`)).json()).toEqual({
      status: 'ok',
      node: worker.nodeId,
      models: [modelIdOf(model.manifest)],
      queue: { running: 0, waiting: 0, slots: 8, limit: 8 },
      engines: [{ model: modelIdOf(model.manifest), backend: expect.stringMatching(/^(?:wasm|native-)/) as string, prefixCache }],
      prices: { prompt: '0', completion: '0', asset: ZERO_ADDRESS },
    });
  });
});

describe('prices', () => {
  it('are registered from the configuration, follow it at a restart, and hold for requests of a moment ago', async () => {
    const { chain } = network;
    const asset = chain.deployments.testDollar!;
    const modelId = modelIdOf(model.manifest);
    const first = await network.worker('priced', config.packages, { asset, promptPrice: '5000000', completionPrice: '7000000' });
    const start = async (completionPrice: string): Promise<RunningWorker> => startWorker({ ...first, completionPrice }, { log });
    const price = (completionPrice: bigint) => ({ modelId, asset, promptPrice: 5_000_000n, completionPrice });
    const before = await start('7000000');
    expect(await chain.priceOf(before.nodeId, modelId)).toEqual(price(7_000_000n));
    await before.stop();

    await using after = await start('9000000');
    expect(await chain.priceOf(after.nodeId, modelId)).toEqual(price(9_000_000n));
    const asked = (completionPrice: string) =>
      ask({
        domain: chain.domain,
        node: after.nodeId,
        modelId,
        nonce: nonce++,
        change: { maxTokens: 2, asset, promptPrice: '5000000', completionPrice },
      });
    // 4 prompt tokens and 2 more at most
    for (const [completionPrice, amount] of [
      ['7000000', '34'],
      ['20000000', '38'],
    ] as const) {
      const answer = await postJson(`${after.url}/v1/run`, asked(completionPrice));
      expect([answer.status, await answer.json()]).toMatchObject([402, { code: 'payment_required' }]);
      expect(parsePaymentRequired(answer.headers.get(paymentHeaders.required)!).accepts).toMatchObject([
        { amount },
        { amount },
        { amount },
      ]);
    }
    const answer = await postJson(`${after.url}/v1/run`, asked('6000000'));
    expect([answer.status, await answer.json()]).toMatchObject([402, { code: 'price_too_low' }]);
  });
});
