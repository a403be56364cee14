import { createReadStream, existsSync, statSync } from 'node:fs';
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Job } from '../hosts/job.ts';

const root = join(import.meta.dirname, '../../..');
const TYPES: Readonly<Record<string, string>> = { '.js': 'text/javascript', '.json': 'application/json', '.wasm': 'application/wasm' };

/** Bare specifiers of the compiled modules, as the page resolves them. */
const IMPORTS = {
  '@commonweight/engine': '/packages/engine/dist/index.js',
  '@commonweight/engine/testing': '/packages/engine/dist/testing/tiny-model.js',
  '@commonweight/engine/testing/operations': '/packages/engine/dist/testing/operations.js',
  '@commonweight/protocol': '/packages/protocol/dist/index.js',
  '@noble/curves/': '/node_modules/@noble/curves/',
  '@noble/hashes/': '/node_modules/@noble/hashes/',
};
const PAGE = `<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><title>Commonweight back ends</title>
<script>
const failed = (text) => fetch('/failed', { method: 'POST', body: JSON.stringify(text) + '\\n' });
addEventListener('error', (event) => failed(event.message || 'a script could not be loaded'), true);
addEventListener('unhandledrejection', (event) => failed(String(event.reason)));
</script>
<script type="importmap">${JSON.stringify({ imports: IMPORTS })}</script>
<script type="module" src="/js/hosts/page.js"></script>`;

export interface PageEvents {
  /** One JSON value of the page. */
  readonly onResult: (value: unknown) => void;
  readonly onFailed: (message: string) => void;
}

/** A server on loopback with the page, its job, and nothing that they do not need. */
export async function servePage(
  job: Job,
  compiled: string,
  events: PageEvents,
): Promise<{ readonly server: Server; readonly url: string }> {
  const server = createServer((request, response) => {
    answer(request, response, job, compiled, events).catch((error: unknown) => {
      response.destroy();
      events.onFailed(String(error));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` };
}

async function answer(request: IncomingMessage, response: ServerResponse, job: Job, compiled: string, events: PageEvents): Promise<void> {
  const path = normalize(new URL(request.url!, 'http://page').pathname);
  if (request.method === 'POST') {
    const values = (await text(request)).split('\n').filter((line) => line !== '');
    response.end();
    for (const line of values) {
      const value: unknown = JSON.parse(line);
      if (path === '/failed') events.onFailed(String(value));
      else events.onResult(value);
    }
    return;
  }
  if (path === '/') return void response.setHeader('content-type', 'text/html').end(PAGE);
  if (path === '/job.json') return void response.setHeader('content-type', 'application/json').end(JSON.stringify(job));
  const file = fileOf(path, job, compiled);
  if (file === undefined || !existsSync(file)) return void response.writeHead(404).end();
  response.setHeader('content-type', TYPES[extname(file)] ?? 'application/octet-stream').setHeader('content-length', statSync(file).size);
  createReadStream(file).pipe(response);
}

function fileOf(path: string, job: Job, compiled: string): string | undefined {
  if (path === '/engine.wasm') return join(root, 'packages/engine/wasm/engine.wasm');
  if (path.startsWith('/js/')) return join(compiled, path.slice('/js/'.length));
  if (/^\/(?:packages\/(?:engine|protocol)\/dist|node_modules\/@noble)\//u.test(path)) return join(root, path);
  if (job.realModel !== undefined && /^\/model\/(?:manifest\.json|weights\.bin)$/u.test(path))
    return join(job.realModel, path.slice('/model/'.length));
  return undefined;
}
