import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { connectChain } from '@commonweight/chain';
import {
  type Frame,
  type Hex32,
  type Receipt,
  type RunRequest,
  ZERO_HEX32,
  addressOfKey,
  modelIdOf,
  receiptDigest,
} from '@commonweight/protocol';
import type { TinyModel } from '@commonweight/engine/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readKeyFile } from '../platform/key-file.ts';
import type { WorkerConfig } from './config.ts';
import { startWorker } from './start-worker.ts';
import { type DevNetwork, startDevNetwork } from './testing/dev-network.ts';
import { allFrames, runFrames } from './testing/frames.ts';
import { ask } from './testing/payer.ts';
import { RecordingLog } from './testing/recording-log.ts';
import { unhurried, writeTinyPackage } from './testing/tiny-package.ts';

let network: DevNetwork;
let model: TinyModel;
let config: WorkerConfig;
beforeAll(async () => {
  network = await startDevNetwork();
  const folder = join(network.folder, 'model');
  model = await writeTinyPackage(folder, unhurried);
  config = await network.worker('one', [folder]);
}, 60_000);
const children: ChildProcess[] = [];
afterAll(async () => {
  // a failed test must leave no process behind
  for (const child of children) child.kill('SIGKILL');
  await network?.stop();
});

const program = fileURLToPath(new URL('./testing/worker-child.ts', import.meta.url));

/** Nothing that it signs is on chain when it is killed. */
async function startProcess(): Promise<{ child: ChildProcess; url: string }> {
  const file = join(network.folder, 'worker.json');
  await writeFile(file, JSON.stringify(config));
  const child = spawn(process.execPath, ['--import', 'tsx', program, file], { stdio: ['ignore', 'pipe', 'ignore'] });
  children.push(child);
  const [url] = (await once(createInterface(child.stdout!), 'line')) as [string];
  return { child, url };
}

async function question(nonce: number, maxTokens = 8): Promise<RunRequest> {
  const node = addressOfKey(await readKeyFile(config.operatorKeyFile));
  return ask({ domain: network.chain.domain, node, modelId: modelIdOf(model.manifest), nonce, change: { maxTokens } });
}
const receiptIn = (frames: readonly Frame[]): Receipt => {
  const last = frames.at(-1)!;
  if (last.type !== 'receipt') throw new Error(`expected a receipt, got ${JSON.stringify(last)}`);
  return last.receipt;
};
const digestOf = (receipt: Receipt): Hex32 => receiptDigest(receipt, network.chain.domain);

async function posted(log: RecordingLog, batch: number, times = 1): Promise<void> {
  for (let i = 1; log.of('batch_posted').filter(({ fields }) => fields['batch'] === batch).length < times; i++)
    await log.next('batch_posted', i);
}

async function rpc(method: string, params: unknown[] = []): Promise<unknown> {
  const response = await fetch(network.dev.rpcUrl, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
  });
  return ((await response.json()) as { result: unknown }).result;
}

describe('a worker process', () => {
  it('loses nothing when it is killed: receipts that were handed out are posted after the next start, in one unbroken sequence', async () => {
    const { child, url } = await startProcess();
    const first = receiptIn(await allFrames(url, await question(0)));
    const second = receiptIn(await allFrames(url, await question(1)));
    const interrupted = await question(2, 1500);
    const ended = once(child, 'exit');
    const read = (async () => {
      for await (const frame of runFrames(url, interrupted)) if (frame.type === 'token' && frame.index === 3) child.kill('SIGKILL');
    })();
    await expect(read).rejects.toThrow('terminated');
    expect(await ended).toEqual([null, 'SIGKILL']);
    expect(await network.chain.nextBatch(first.node)).toBe(0);

    const log = new RecordingLog();
    const worker = await startWorker(config, { log });
    try {
      await posted(log, 0);
      for (const receipt of [first, second]) {
        const found = (await (await fetch(`${worker.url}/v1/receipts/${digestOf(receipt)}`)).json()) as {
          status: string;
          proof: { index: number; siblings: Hex32[] };
        };
        expect(found.status).toBe('posted');
        expect(await network.chain.verifyInclusion(worker.nodeId, 0, digestOf(receipt), found.proof.index, found.proof.siblings)).toBe(
          true,
        );
      }
      // the interrupted request made no receipt: it may be asked again
      const third = receiptIn(await allFrames(worker.url, { ...interrupted }));
      expect(third).toMatchObject({ sequence: 2, previous: digestOf(second), batch: 1, completionTokens: 1500 });
      await posted(log, 1);
    } finally {
      await worker.stop();
    }
    await expect(worker.closed).resolves.toBeUndefined();
  });

  it('posts again what the chain forgot when it was put back to an earlier state', async () => {
    const log = new RecordingLog();
    const worker = await startWorker(config, { log });
    try {
      const snapshot = await rpc('evm_snapshot');
      const before = await network.chain.nextBatch(worker.nodeId);
      const receipt = receiptIn(await allFrames(worker.url, await question(10)));
      await posted(log, before);
      const { root } = (await network.chain.batch(worker.nodeId, before))!;
      expect(await rpc('evm_revert', [snapshot])).toBe(true);
      await posted(log, before, 2);
      expect(await network.chain.batch(worker.nodeId, before)).toMatchObject({ root, count: 1 });
      expect(receipt.batch).toBe(before);
    } finally {
      await worker.stop();
    }
  });

  it('is refused a data directory that another worker uses, and one whose journal the chain is ahead of', async () => {
    const worker = await startWorker(config, { log: new RecordingLog() });
    try {
      await expect(startWorker(config, { log: new RecordingLog() })).rejects.toMatchObject({ code: 'locked' });
      const fresh = { ...config, dataDir: join(network.folder, 'fresh') };
      await expect(startWorker(fresh, { log: new RecordingLog() })).rejects.toMatchObject({ code: 'batch_conflict', action: 'stop' });
    } finally {
      await worker.stop();
    }
  });

  it('stops by itself when the chain turns out to be ahead of its journal', async () => {
    const worker = await startWorker(config, { log: new RecordingLog() });
    const operator = await readKeyFile(config.operatorKeyFile);
    const { rpcUrl, chainId } = network.dev;
    const foreign = await connectChain({ rpcUrl, chainId, deployments: network.chain.deployments, privateKey: operator });
    const batchIndex = await foreign.nextBatch(worker.nodeId);
    await foreign.postBatch({ node: worker.nodeId, batchIndex, root: `0x${'66'.repeat(32)}` as Hex32, count: 1, dataDigest: ZERO_HEX32 });
    await expect(worker.closed).rejects.toMatchObject({ code: 'batch_conflict' });
    await expect(fetch(`${worker.url}/health`)).rejects.toThrow('fetch failed');
    await expect(startWorker(config, { log: new RecordingLog() })).rejects.toMatchObject({ code: 'batch_conflict' });
  });
});
