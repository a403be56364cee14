import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';
import { anvilBinary } from './anvil-binary.ts';
import { type DevChainPaths } from './dev-chain-files.ts';
import { ChainError } from './errors.ts';
import { limits } from './limits.ts';

export interface AnvilOptions {
  readonly paths: DevChainPaths;
  readonly chainId: number;
  /** 0 for any free port. */
  readonly port: number;
  readonly snapshot?: string | undefined;
  /** Keeps old states, which reorganisations need; the development chain does not: they fill the disk. */
  readonly history?: boolean;
}

export interface AnvilProcess {
  readonly rpcUrl: string;
  readonly port: number;
  /** Resolves when the process has ended, with a sentence about how. */
  readonly ended: Promise<string>;
  kill(): Promise<void>;
}

/** Why anvil did not start. */
export type AnvilRefusal = 'port' | 'other';

export class AnvilStartError extends ChainError {
  readonly refusal: AnvilRefusal;
  constructor(message: string, refusal: AnvilRefusal) {
    super('dev_chain_failed', message);
    this.refusal = refusal;
  }
}

/** No accounts of anvil's own (their keys are public), no CORS (a web page could mint), loopback only, no history on disk. */
const argumentsOf = ({ paths, chainId, port, snapshot, history = false }: AnvilOptions): string[] => {
  const storage = [
    '--cache-path',
    paths.cache,
    ...(history ? [] : ['--prune-history']),
    ...(snapshot === undefined ? [] : ['--load-state', snapshot]),
  ];
  const server = ['--host', '127.0.0.1', '--port', String(port), '--no-cors', '--no-request-size-limit', '--color', 'never'];
  return [...storage, ...server, '--chain-id', String(chainId), '--accounts', '0'];
};

/** Starts anvil and waits for its port. Throws {@link AnvilStartError}. */
export async function startAnvil(options: AnvilOptions): Promise<AnvilProcess> {
  const child = spawn(anvilBinary(), argumentsOf(options), { stdio: ['ignore', 'pipe', 'pipe'] });
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors = (errors + text).slice(-limits.errorOutput)));
  const ended = endOf(child).then((how) => `anvil ${how}${errors ? `: ${errors.trim()}` : ''}`);
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL');
    await ended;
  };
  const decided = new AbortController();
  const late = pause(limits.anvilStart, `anvil did not open its port within ${limits.anvilStart} ms`, { signal: decided.signal });
  // whoever loses the race must not be an unhandled rejection
  late.catch(() => undefined);
  const outcome = await Promise.race([listening(child), ended, late]);
  decided.abort();
  if (typeof outcome === 'number') return { rpcUrl: `http://127.0.0.1:${outcome}`, port: outcome, ended, kill };
  await kill();
  throw new AnvilStartError(outcome, /address (already )?in use/i.test(outcome) ? 'port' : 'other');
}

async function endOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(`could not be started (${error.message})`));
    child.once('close', (code, signal) => resolve(signal === null ? `ended with code ${code}` : `was killed by ${signal}`));
  });
}

/** The port from anvil's line `Listening on 127.0.0.1:40171`. The rest of its output is read and dropped, or the pipe would fill up. */
async function listening(child: ChildProcess): Promise<number> {
  const output = child.stdout!.setEncoding('utf8');
  return new Promise((resolve) => {
    let text = '';
    const look = (chunk: string): void => {
      text = (text + chunk).slice(-limits.errorOutput);
      const port = /Listening on 127\.0\.0\.1:(\d+)\s/.exec(text)?.[1];
      if (port === undefined) return;
      output.off('data', look).resume();
      resolve(Number(port));
    };
    output.on('data', look);
  });
}
