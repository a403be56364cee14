import { addressOfKey } from '@commonweight/protocol';
import { rm } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { type AnvilProcess, AnvilStartError, startAnvil } from './anvil-process.ts';
import {
  type DevChainIdentity,
  type DevChainPaths,
  newIdentity,
  openDevChainFolder,
  readIdentity,
  removeTemporaryFiles,
  writeIdentity,
} from './dev-chain-files.ts';
import { lockDevChain, reapAnvils } from './dev-chain-lock.ts';
import { Snapshots, loadableSnapshots } from './dev-chain-snapshot.ts';
import { jsonRpc } from './platform/json-rpc.ts';
import { limits } from './limits.ts';

/** What a guard tells its parent over IPC. */
export type GuardMessage =
  | { readonly type: 'ready'; readonly rpcUrl: string; readonly chainId: number; readonly restored: boolean }
  | { readonly type: 'warning'; readonly message: string }
  | { readonly type: 'failed'; readonly code: string; readonly message: string };

/** Wei of the dev account on a fresh chain. */
const DEV_BALANCE = 10n ** 27n;

/** Runs one development chain in `dataDir` until `signal` aborts or anvil ends; then writes a last snapshot and leaves no process behind. */
export async function guardDevChain(dataDir: string, signal: AbortSignal, tell: (message: GuardMessage) => void): Promise<void> {
  const paths = await openDevChainFolder(dataDir);
  const unlock = await lockDevChain(paths, { signal });
  try {
    for (const pid of await reapAnvils(paths))
      tell({ type: 'warning', message: `killed anvil (process ${pid}), left over from a guard that was killed` });
    await removeTemporaryFiles(paths);
    const { anvil, identity, restored } = await startFromSnapshot(paths, tell);
    try {
      const snapshots = new Snapshots(paths, anvil.rpcUrl);
      if (restored) await snapshots.adopt();
      else await jsonRpc(anvil.rpcUrl, 'anvil_setBalance', [addressOfKey(identity.devKey), `0x${DEV_BALANCE.toString(16)}`]);
      tell({ type: 'ready', rpcUrl: anvil.rpcUrl, chainId: identity.chainId, restored });
      await keepSnapshots(anvil, snapshots, signal, tell);
    } finally {
      await anvil.kill();
      await rm(paths.cache, { recursive: true, force: true });
    }
  } finally {
    await unlock();
  }
}

async function keepSnapshots(
  anvil: AnvilProcess,
  snapshots: Snapshots,
  signal: AbortSignal,
  tell: (message: GuardMessage) => void,
): Promise<void> {
  const wake = new AbortController();
  let died: string | undefined;
  let complaint = '';
  void anvil.ended.then((how) => {
    died = how;
    wake.abort();
  });
  if (signal.aborted) wake.abort();
  else signal.addEventListener('abort', () => wake.abort(), { once: true });
  for (let last = false; !last;) {
    // the pause ends early, by rejecting, when there is a reason to stop
    await pause(limits.snapshotInterval, undefined, { signal: wake.signal }).catch(() => undefined);
    last = wake.signal.aborted;
    if (died !== undefined)
      return tell({ type: 'failed', code: 'dev_chain_failed', message: `${died}; the chain is as of its last snapshot` });
    try {
      await snapshots.save();
      complaint = '';
    } catch (error) {
      // a full disk must not end the chain: the blocks are still in anvil, and the next round tries again
      const message = `no snapshot written: ${(error as Error).message}`;
      if (message !== complaint) tell({ type: 'warning', message });
      complaint = message;
    }
  }
}

interface Started {
  readonly anvil: AnvilProcess;
  readonly identity: DevChainIdentity;
  readonly restored: boolean;
}

/** Newest snapshot first, then the one before, then a fresh chain; the port of the last start first, then any. */
async function startFromSnapshot(paths: DevChainPaths, tell: (message: GuardMessage) => void): Promise<Started> {
  const known = await readIdentity(paths);
  const identity = known ?? newIdentity();
  if (!known) await writeIdentity(paths, identity);
  const usable = await loadableSnapshots(paths);
  if (known && !usable.includes(paths.snapshot))
    tell({ type: 'warning', message: `${paths.snapshot} is missing or damaged; an older state is used` });
  for (const snapshot of [...usable, undefined]) {
    try {
      const anvil = await startOnPort(paths, identity, snapshot);
      if (anvil.port !== identity.port) await writeIdentity(paths, { ...identity, port: anvil.port });
      return { anvil, identity, restored: snapshot !== undefined };
    } catch (error) {
      if (snapshot === undefined || !(error instanceof AnvilStartError)) throw error;
      tell({ type: 'warning', message: `anvil does not take ${snapshot}: ${error.message}` });
    }
  }
  throw new Error('unreachable: the last candidate returns or throws');
}

async function startOnPort(paths: DevChainPaths, { chainId, port }: DevChainIdentity, snapshot: string | undefined): Promise<AnvilProcess> {
  try {
    return await startAnvil({ paths, chainId, port, snapshot });
  } catch (error) {
    if (port === 0 || !(error instanceof AnvilStartError) || error.refusal !== 'port') throw error;
    return startAnvil({ paths, chainId, port: 0, snapshot });
  }
}
