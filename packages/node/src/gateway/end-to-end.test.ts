import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { importGguf } from '@commonweight/models';
import { tinyModel } from '@commonweight/models/testing';
import { generateKey } from '@commonweight/chain';
import { type Bundle, type Hex32, parseBundle, receiptDigest } from '@commonweight/protocol';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { WorkerConfigInput } from '../worker/config.ts';
import { openThreadEngine } from '../worker/engine-thread-host.ts';
import { type RunningWorker, type WorkerDependencies, startWorker } from '../worker/start-worker.ts';
import { type DevNetwork, startDevNetwork } from '../worker/testing/dev-network.ts';
import { RecordingLog } from '../worker/testing/recording-log.ts';
import { systemClock } from '../platform/clock.ts';
import { parseGatewayConfig } from './config.ts';
import { type RunningGateway, startGateway } from './start-gateway.ts';
import { holdAfter } from './testing/hold-after.ts';
import { silentLog } from './testing/test-gateway.ts';

interface Completion {
  readonly choices: readonly { readonly message: { readonly content: string }; readonly finish_reason: string }[];
  readonly usage: { readonly completion_tokens: number };
  readonly receipt: unknown;
}

const TOKENS = 24;
const base = { messages: [{ role: 'user' as const, content: 'hello world, the user' }], max_tokens: TOKENS, temperature: 1, seed: 7 };

describe('real workers, a real chain, a tiny model', () => {
  let network: DevNetwork;
  let packageDir: string;
  let model: string;
  let gateway: RunningGateway;
  let dataDir: string;
  const workers: RunningWorker[] = [];
  const logs: RecordingLog[] = [];

  const addWorker = async (
    name: string,
    dependencies: WorkerDependencies = {},
    limits: Partial<WorkerConfigInput> = {},
  ): Promise<RunningWorker> => {
    const log = new RecordingLog();
    const worker = await startWorker(await network.worker(name, [packageDir], limits), { ...dependencies, log });
    workers.push(worker);
    logs.push(log);
    return worker;
  };
  const ask = (fields: Record<string, unknown> = {}, init: RequestInit = {}): Promise<Response> =>
    fetch(`${gateway.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ ...base, model, ...fields }),
      ...init,
    });
  const answer = async (fields: Record<string, unknown> = {}): Promise<{ text: string; finish: string; bundle: Bundle }> => {
    const response = await ask(fields);
    if (response.status !== 200) throw new Error(`${response.status}: ${await response.text()}`);
    const body = (await response.json()) as Completion;
    return { text: body.choices[0]!.message.content, finish: body.choices[0]!.finish_reason, bundle: parseBundle(body.receipt) };
  };

  beforeAll(async () => {
    network = await startDevNetwork();
    const gguf = join(network.folder, 'tiny.gguf');
    await writeFile(gguf, tinyModel({ layers: 2 }));
    ({ dir: packageDir, modelId: model } = await importGguf({ path: gguf, outDir: join(network.folder, 'models') }));
    await addWorker('a');
    await addWorker('b');
    dataDir = join(network.folder, 'gateway');
    await mkdir(dataDir);
    const payerKeyFile = join(dataDir, 'payer.key');
    await writeFile(payerKeyFile, generateKey(), { mode: 0o600 });
    const chain = { rpcUrl: network.dev.rpcUrl, deploymentsFile: join(network.folder, 'deployments.json') };
    const listen = { host: '127.0.0.1' as const, port: 0 };
    gateway = await startGateway(
      parseGatewayConfig({ role: 'gateway', dataDir, packages: [packageDir], listen, chain, payerKeyFile, allowLoopback: true }),
      { log: silentLog },
    );
  });

  afterAll(async () => {
    await gateway?.stop();
    await Promise.all(workers.map((worker) => worker.stop()));
    await network?.stop();
  });

  test('the same request gives the same text on every node, whole and streamed', async () => {
    const [a, b] = await Promise.all(workers.slice(0, 2).map(({ nodeId }) => answer({ provider: { only: [nodeId] } })));
    expect(a!.text).toBe(b!.text);
    expect(a!.bundle.receipt.thinRoot).toBe(b!.bundle.receipt.thinRoot);
    expect(a!.bundle.receipt.node).not.toBe(b!.bundle.receipt.node);
    const client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'none', maxRetries: 0 });
    const [listed] = (await client.models.list()).data;
    const stream = await client.chat.completions.create({ ...base, model: listed!.id, stream: true });
    let text = '';
    for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? '';
    expect(text).toBe(a!.text);
    expect((await answer({ seed: 8 })).text).not.toBe(a!.text);
  });

  test('a stop string ends the run in the engine', async () => {
    const held = await addWorker('stopped', {
      openEngine: async (dir, settings) =>
        holdAfter(TOKENS - 1, await openThreadEngine(dir, { settings, log: new RecordingLog(), clock: systemClock })),
    });
    const { text: whole } = await answer();
    const stop = whole.slice(6, 9);
    const { text, finish, bundle } = await answer({ stop: [stop], provider: { only: [held.nodeId] } });
    expect(text).toBe(whole.slice(0, whole.indexOf(stop)));
    expect(finish).toBe('stop');
    expect(bundle.receipt.finishReason).toBe('stop_string');
    expect(bundle.receipt.completionTokens).toBeLessThan(TOKENS - 1);
    expect(bundle.end!.end.completionTokens).toBe(bundle.receipt.completionTokens);
    await held.stop();
  });

  test('parallel requests: every receipt is the next one of its node', async () => {
    const bundles = (await Promise.all(Array.from({ length: 8 }, (_, i) => answer({ seed: i })))).map(({ bundle }) => bundle.receipt);
    for (const { nodeId } of workers.slice(0, 2)) {
      const sequences = bundles
        .filter(({ node }) => node === nodeId)
        .map(({ sequence }) => sequence)
        .sort((x, y) => x - y);
      expect(sequences.length).toBeGreaterThan(0);
      expect(sequences).toEqual(sequences.map((_, i) => sequences[0]! + i));
    }
  });

  test('a receipt gets its inclusion proof on chain', async () => {
    const { bundle } = await answer({ provider: { only: [workers[0]!.nodeId] } });
    const id = receiptDigest(bundle.receipt, bundle.domain);
    let seen = 0;
    for (;;) {
      const body = (await (await fetch(`${gateway.url}/v1/receipts/${id}`)).json()) as {
        status: string;
        batch: unknown;
        proof?: { index: number; siblings: Hex32[] };
      };
      if (body.status === 'pending') {
        await logs[0]!.next('batch_posted', ++seen);
        continue;
      }
      const { proof } = body;
      expect(await network.chain.verifyInclusion(bundle.receipt.node, bundle.receipt.batch, id, proof!.index, proof!.siblings)).toBe(true);
      return;
    }
  });

  test('a client that goes away: the engine stops, the receipt covers what was delivered', async () => {
    const held = await addWorker('held', {
      openEngine: async (dir, settings) =>
        holdAfter(3, await openThreadEngine(dir, { settings, log: new RecordingLog(), clock: systemClock })),
    });
    const abort = new AbortController();
    const response = await ask({ stream: true, provider: { only: [held.nodeId] } }, { signal: abort.signal });
    expect(response.status).toBe(200);
    const reader = response.body!.getReader();
    await reader.read();
    abort.abort();
    await logs.at(-1)!.next('receipt_signed');
    const cancelled = await answer({ provider: { only: [workers[0]!.nodeId] } });
    expect(cancelled.bundle.receipt.finishReason).toBe('length');
    expect(logs.at(-1)!.of('receipt_signed')[0]!.fields).toMatchObject({ finish: 'cancelled' });
    await held.stop();
  });

  test('a full node: another one answers; all full: 429', async () => {
    const started = withResolvers();
    const full = await addWorker(
      'full',
      {
        openEngine: async (dir, settings) =>
          holdAfter(1, await openThreadEngine(dir, { settings, log: new RecordingLog(), clock: systemClock }), started.resolve),
      },
      { slots: 1, queueLimit: 0 },
    );
    const abort = new AbortController();
    const first = ask({ stream: true, provider: { only: [full.nodeId] } }, { signal: abort.signal }).catch(() => undefined);
    await started.promise;
    expect((await answer({ provider: { order: [full.nodeId] } })).bundle.receipt.node).not.toBe(full.nodeId);
    const refused = await ask({ provider: { only: [full.nodeId] } });
    expect(refused.status).toBe(429);
    expect(refused.headers.get('retry-after')).toBe('1');
    abort.abort();
    await first;
    await full.stop();
  });

  test('a worker that lies in its receipt is refused, with evidence', async () => {
    const liar = await addWorker('liar', { beforeSign: (receipt) => ({ ...receipt, completionTokens: receipt.completionTokens + 1 }) });
    const response = await ask({ provider: { only: [liar.nodeId] } });
    expect(response.status).toBe(502);
    expect(await response.json()).toMatchObject({ error: { code: 'receipt_invalid', param: 'completion_tokens' } });
    const [file] = await readdir(join(dataDir, 'refused'));
    expect(file).toContain(liar.nodeId);
    await liar.stop();
  });

  test('a node that is gone: the others answer', async () => {
    await workers[1]!.stop();
    expect((await answer({ provider: { order: [workers[1]!.nodeId] } })).bundle.receipt.node).toBe(workers[0]!.nodeId);
  });
});

function withResolvers(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve!: () => void;
  const promise = new Promise<void>((done) => (resolve = done));
  return { promise, resolve };
}
