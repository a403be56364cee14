import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import type { HostInfo } from '../hosts/job.ts';
import type { ItemResult } from '../workload/run-item.ts';
import type { BackEnd, Run } from './backend.ts';
import { requireDebian } from './debian.ts';
import { servePage } from './page-server.ts';

const STDERR_CHARACTERS = 4000;
const BROWSERS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const FLAGS = [
  '--headless',
  '--disable-gpu',
  '--disable-quic',
  '--disable-dev-shm-usage',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--remote-debugging-pipe', // keeps it open until the pipe closes: it does not outlive this process, however that ends
];

/** WASM in a page of headless Chromium. The page posts its results to the server that it came from. */
export const chromium: BackEnd = {
  name: 'chromium',
  engine: { engine: 'wasm', thread: false },
  prepare: async (context) => {
    const browser = BROWSERS.find((path) => existsSync(path));
    if (browser === undefined) await requireDebian(['chromium'], [BROWSERS[0]!], context);
    return pageRun(browser ?? BROWSERS[0]!, context.compiled);
  },
};

const pageRun =
  (browser: string, compiled: string): Run =>
  async (job, onResult, signal) => {
    const profile = mkdtempSync(join(tmpdir(), 'commonweight-chromium-'));
    const finished = deferred<HostInfo>();
    const { server, url } = await servePage(job, compiled, {
      onResult: (value) => {
        if (isInfo(value)) finished.resolve(value);
        else onResult(value as ItemResult);
      },
      onFailed: (message) => finished.reject(new Error(`the page failed: ${message}`)),
    });
    // Chromium refuses to run as root with its sandbox; the only page it sees is ours.
    const sandbox = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
    const child = spawn(browser, [...FLAGS, ...sandbox, `--user-data-dir=${profile}`, url], {
      stdio: ['ignore', 'ignore', 'pipe', 'pipe', 'pipe'],
      detached: true, // a process group of its own: its renderers end with it
    });
    let stderr = '';
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      stderr = (stderr + text).slice(-STDERR_CHARACTERS);
    });
    const closed = new Promise<void>((resolve) => {
      child.once('error', (error) => {
        finished.reject(error);
        resolve();
      });
      child.once('close', (code) => {
        finished.reject(new Error(`${browser} ended with ${code ?? 'a signal'}: ${stderr.trim()}`));
        resolve();
      });
    });
    const abort = (): void => finished.reject(signal.reason);
    signal.addEventListener('abort', abort);
    try {
      return await finished.promise;
    } finally {
      signal.removeEventListener('abort', abort);
      if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGKILL');
      await closed;
      server.closeAllConnections();
      server.close();
      rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
    }
  };

const isInfo = (value: unknown): value is HostInfo => typeof value === 'object' && value !== null && 'info' in value;

interface Deferred<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (error: unknown) => void;
}

/** `Promise.withResolvers`, which Node 20 lacks. */
function deferred<T>(): Deferred<T> {
  let parts: Omit<Deferred<T>, 'promise'> | undefined;
  const promise = new Promise<T>((resolve, reject) => {
    parts = { resolve, reject };
  });
  return { promise, ...parts! };
}
