// Runs a job in the page that loaded it. Everything comes from the server it was loaded from, and goes back there.
import { ENGINE_WASM_SHA256 } from '@commonweight/engine';
import { memorySource } from '@commonweight/engine/testing';
import { parseManifest, sha256, toHex } from '@commonweight/protocol';
import { breakWorkbench } from '../workload/break-workbench.ts';
import { type Workbench, runItem } from '../workload/run-item.ts';
import { type RealWeights, wasmWorkbench } from '../workload/workbench.ts';
import type { HostInfo, Job } from './job.ts';

const POST_EVERY_MS = 500;

const get = async (path: string): Promise<Response> => {
  const response = await fetch(path);
  if (!response.ok) throw new Error(`GET ${path}: ${response.status}`);
  return response;
};
const post = async (path: string, values: readonly unknown[]): Promise<void> => {
  const body = values.map((value) => `${JSON.stringify(value)}\n`).join('');
  const response = await fetch(path, { method: 'POST', body });
  if (!response.ok) throw new Error(`POST ${path}: ${response.status}`);
};

async function openWorkbench(job: Job): Promise<Workbench> {
  const bytes = await (await get('/engine.wasm')).arrayBuffer();
  const digest = toHex(sha256(new Uint8Array(bytes))).slice(2);
  if (digest !== ENGINE_WASM_SHA256) throw new Error(`engine.wasm: expected SHA-256 ${ENGINE_WASM_SHA256}, got ${digest}`);
  const bench = wasmWorkbench(await WebAssembly.compile(bytes), job.realModel === undefined ? undefined : await realWeights());
  return job.broken ? breakWorkbench(bench) : bench;
}

async function realWeights(): Promise<RealWeights> {
  const manifest = parseManifest(await (await get('/model/manifest.json')).json());
  return { manifest, weights: memorySource(new Uint8Array(await (await get('/model/weights.bin')).arrayBuffer())) };
}

async function run(): Promise<void> {
  const job = (await (await get('/job.json')).json()) as Job;
  const bench = await openWorkbench(job);
  let results: unknown[] = [];
  let posted = performance.now();
  for (const item of job.items) {
    results.push(runItem(item, bench));
    if (performance.now() - posted < POST_EVERY_MS) continue;
    await post('/results', results);
    results = [];
    posted = performance.now();
  }
  const version = /Chrome\/[\d.]+/u.exec(navigator.userAgent)?.[0] ?? navigator.userAgent;
  await post('/results', [...results, { info: `headless ${version}` } satisfies HostInfo]);
}

run().catch(async (error: unknown) => await post('/failed', [error instanceof Error ? (error.stack ?? error.message) : String(error)]));
