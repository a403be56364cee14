import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { text } from 'node:stream/consumers';
import { build } from 'esbuild';
import { expect, test } from 'vitest';
import { say, worker } from './testing/chat.ts';
import { testGateway } from './testing/test-gateway.ts';

const browser = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((path) => existsSync(path));

/** What the page does: a stream from the gateway, which is another origin, and then the same bundle with a lie in it. */
const PAGE = `
import { CommonweightClient, webPlatform } from '@commonweight/sdk';
import { verifyBundle } from '@commonweight/verifier';

const tell = (value) => fetch('/result', { method: 'POST', body: JSON.stringify(value) });
try {
  const baseURL = new URLSearchParams(location.search).get('gateway') + '/v1';
  // the node of these tests lives at a fixed time
  const client = new CommonweightClient({ baseURL, platform: { ...webPlatform, now: () => 1_700_000_000 } });
  const ask = { model: 'tiny', messages: [{ role: 'user', content: 'hi' }] };
  const stream = await client.chat.completions.create({ ...ask, stream: true });
  const pieces = [];
  for await (const chunk of stream) pieces.push(chunk.choices[0]?.delta.content ?? '');
  const answerText = pieces.join('');
  const { bundle, report } = stream.commonweight;
  const forged = { ...bundle, receipt: { ...bundle.receipt, promptTokens: bundle.receipt.promptTokens + 1 } };
  const whole = await client.chat.completions.create(ask);
  const refused = await client.chat.completions.create({ ...ask, model: 'absent' }).catch((error) => [error.name, error.status, error.code]);
  await tell({
    streamed: [answerText, report.verdict],
    whole: [whole.choices[0].message.content, whole.commonweight.report.verdict],
    forged: verifyBundle({ bundle: forged, answerText }).verdict,
    refused,
  });
} catch (error) {
  await tell({ failed: String(error?.stack ?? error) });
}`;

interface PageServer {
  readonly server: Server;
  readonly url: string;
  /** What the page tells. */
  readonly result: Promise<unknown>;
}

async function servePage(script: string): Promise<PageServer> {
  let told!: (value: unknown) => void;
  const result = new Promise<unknown>((resolve) => (told = resolve));
  const server = createServer((request, response) => {
    if (request.method === 'POST') void text(request).then((words) => told(JSON.parse(words)));
    const isScript = request.url === '/page.js';
    response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html; charset=utf-8');
    response.end(isScript ? script : '<!doctype html><link rel="icon" href="data:,"><script type="module" src="/page.js"></script>');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, result, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

/** Opens a page in a browser of its own until `done` settles. */
async function browse<T>(program: string, url: string, done: Promise<T>): Promise<T> {
  const profile = await mkdtemp(join(tmpdir(), 'commonweight-chromium-'));
  // with its sandbox Chromium refuses to run as root; the only page that it sees is ours
  const sandbox = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  const flags = ['--headless', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run', '--disable-background-networking'];
  const quiet = ['--disable-component-update', '--disable-sync', '--remote-debugging-pipe', `--user-data-dir=${profile}`];
  // the pipe of the debugger keeps it open, and ends it with this process; in a group of its own its renderers end with it
  const child = spawn(program, [...flags, ...quiet, ...sandbox, url], {
    stdio: ['ignore', 'ignore', 'pipe', 'pipe', 'pipe'],
    detached: true,
  });
  let stderr = '';
  child.stderr!.setEncoding('utf8').on('data', (words: string) => (stderr = (stderr + words).slice(-2000)));
  const closed = once(child, 'close');
  try {
    const early = closed.then(() => {
      throw new Error(`${program} ended: ${stderr}`);
    });
    return await Promise.race([done, early]);
  } finally {
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGKILL');
    await closed;
    await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

// a user's machine need not have Chromium; under CI, which installs it, its absence is an error
test.skipIf(browser === undefined && process.env['CI'] === undefined)(
  'the client in a page of a real browser: streams, checks receipts and refuses lies',
  async () => {
    const { outputFiles } = await build({
      stdin: { contents: PAGE, resolveDir: import.meta.dirname },
      bundle: true,
      platform: 'browser',
      format: 'esm',
      write: false,
      logLevel: 'silent',
    });
    await using gateway = await testGateway([await worker(say('Hello'))]);
    const { server, url, result } = await servePage(outputFiles[0]!.text);
    try {
      expect(await browse(browser ?? 'chromium', `${url}/?gateway=${gateway.url}`, result)).toEqual({
        streamed: ['Hello', 'unchecked'],
        whole: ['Hello', 'unchecked'],
        forged: 'refuted',
        refused: ['ApiError', 404, 'model_not_found'],
      });
    } finally {
      server.closeAllConnections();
      server.close();
    }
  },
);
