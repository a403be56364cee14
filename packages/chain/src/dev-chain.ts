import { type Address, type Hex32, addressOfKey } from '@commonweight/protocol';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type GuardMessage } from './dev-chain-guard.ts';
import { openDevChainFolder, readIdentity } from './dev-chain-files.ts';
import { reapAfterGuard } from './dev-chain-lock.ts';
import { ChainError, type ChainErrorCode } from './errors.ts';
import { limits } from './limits.ts';
import { connectRpc } from './rpc.ts';
import { Submitter } from './submitter.ts';

export interface DevChainOptions {
  /** Folder of this chain alone: identity, snapshots, lock. Made when missing. */
  readonly dataDir: string;
  /** Stops the chain when aborted. */
  readonly signal?: AbortSignal;
  /** Warnings for the user's log: recovered from a crash, no snapshot written. Never keys. */
  readonly log?: (message: string) => void;
}

export interface DevChain extends AsyncDisposable {
  readonly rpcUrl: string;
  readonly chainId: number;
  /** The funded account: deployer and faucet. The key is stored in the data folder, readable by its owner only. */
  readonly devAccount: { readonly address: Address; readonly privateKey: Hex32 };
  /** Whether the state of an earlier run was loaded. */
  readonly restored: boolean;
  /** Process id of the guard. */
  readonly guardPid: number;
  /** Raises the balance of `address` to at least `wei`; no transaction when it is there already. */
  fund(address: Address, wei: bigint): Promise<void>;
  /** Resolves when the chain has ended: with undefined after {@link stop}, with the reason otherwise. */
  readonly ended: Promise<ChainError | undefined>;
  /** Writes a last snapshot and ends guard and anvil. May be called twice. */
  stop(): Promise<void>;
}

/** The built file, also when this source runs unbuilt in a test. */
const guardMain = fileURLToPath(new URL('../dist/guard-main.js', import.meta.url));

/** Starts, or starts again, the development chain of a folder: anvil under a guard process that outlives us by one snapshot. */
export async function startDevChain({ dataDir, signal, log = () => undefined }: DevChainOptions): Promise<DevChain> {
  signal?.throwIfAborted();
  const paths = await openDevChainFolder(dataDir);
  // detached: Ctrl-C goes to us, and we tell the guard
  const guard = spawn(process.execPath, [guardMain, '--chain-folder', paths.folder, '--'], {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    detached: true,
  });
  let errors = '';
  guard.stderr!.setEncoding('utf8').on('data', (text: string) => (errors = (errors + text).slice(-limits.errorOutput)));
  let failure: ChainError | undefined;
  let stopping = false;
  guard.on('message', (message: GuardMessage) => {
    if (message.type === 'warning') log(message.message);
    if (message.type === 'failed') failure = new ChainError(message.code as ChainErrorCode, message.message);
  });
  const ended = endOf(guard).then(async (how) => {
    // only a guard that was killed leaves an anvil behind
    if (how.startsWith('signal')) await reapAfterGuard(paths, guard.pid!);
    if (failure) return failure;
    return stopping && how === 'code 0'
      ? undefined
      : new ChainError('dev_chain_failed', `the guard of the development chain ended with ${how}: ${errors.trim()}`);
  });
  const stop = async (): Promise<void> => {
    stopping = true;
    if (guard.connected) guard.disconnect();
    const done = new AbortController();
    const impatient = pause(limits.guardStop, undefined, { signal: done.signal }).then(
      () => guard.kill('SIGKILL'),
      () => false,
    );
    await ended;
    done.abort();
    await impatient;
  };
  const onAbort = (): void => void stop();
  signal?.addEventListener('abort', onAbort, { once: true });
  void ended.then(() => signal?.removeEventListener('abort', onAbort));

  const ready = await waitForReady(guard, ended, stop);
  const identity = await readIdentity(paths);
  if (identity === undefined) throw new ChainError('dev_chain_file', `${paths.identity} vanished while the chain was starting`);
  const submitter = new Submitter({ rpc: connectRpc(ready.rpcUrl, ready.chainId), privateKey: identity.devKey });
  return {
    rpcUrl: ready.rpcUrl,
    chainId: ready.chainId,
    restored: ready.restored,
    guardPid: guard.pid!,
    devAccount: { address: addressOfKey(identity.devKey), privateKey: identity.devKey },
    ended,
    stop,
    [Symbol.asyncDispose]: stop,
    fund: async (address, wei) => {
      const balance = await submitter.rpc.balance(address);
      if (balance < wei) await submitter.send({ to: address, value: wei - balance });
    },
  };
}

type Ready = Extract<GuardMessage, { type: 'ready' }>;

async function waitForReady(guard: ChildProcess, ended: Promise<ChainError | undefined>, stop: () => Promise<void>): Promise<Ready> {
  const late = AbortSignal.timeout(limits.guardStart);
  const ready = new Promise<Ready>((resolve) => {
    guard.on('message', (message: GuardMessage) => {
      if (message.type === 'ready') resolve(message);
    });
  });
  const outcome = await Promise.race([
    ready,
    ended,
    once(late, 'abort').then(() => new ChainError('dev_chain_failed', `no chain within ${limits.guardStart} ms`)),
  ]);
  if (outcome && 'type' in outcome) return outcome;
  await stop();
  throw outcome ?? new ChainError('dev_chain_failed', 'the development chain was stopped while it started');
}

function endOf(guard: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    guard.once('error', (error) => resolve(`error ${error.message}`));
    guard.once('exit', (code, killedBy) => resolve(killedBy === null ? `code ${code}` : `signal ${killedBy}`));
  });
}
