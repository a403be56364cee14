import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { type DevChainPaths } from './dev-chain-files.ts';
import { ChainError } from './errors.ts';
import { limits } from './limits.ts';
import { findProcesses, killProcess } from './process-identity.ts';

/** Marks of a guard's command line (dev-chain.ts starts it). */
export const guardMarks = (paths: DevChainPaths): readonly string[] => ['guard-main.js', ` --chain-folder ${paths.folder} `];
/** Marks of the command line of the anvil that a guard of this folder starts. */
export const anvilMarks = (paths: DevChainPaths): readonly string[] => ['anvil', ` --cache-path ${paths.cache} --`];

const read = (path: string): Promise<string | undefined> =>
  readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });

async function tryLink(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    // ENOENT: a guard that has just taken the lock removed our temporary file as a leftover
    if (['EEXIST', 'ENOENT'].includes((error as NodeJS.ErrnoException).code ?? '')) return false;
    throw error;
  }
}

/**
 * Makes this process the one guard of the folder. Waits for a guard that is just ending, unless aborted; throws `dev_chain_locked` for one that stays.
 * @returns removes the lock
 */
export async function lockDevChain(
  paths: DevChainPaths,
  { signal, wait = limits.lockWait }: { readonly signal?: AbortSignal; readonly wait?: number } = {},
): Promise<() => Promise<void>> {
  const own = `${paths.lock}.${process.pid}.tmp`;
  const take = async (): Promise<boolean> => {
    await writeFile(own, String(process.pid), { mode: 0o600 });
    // link, not open: the lock never exists without its content
    return tryLink(own, paths.lock);
  };
  try {
    const deadline = performance.now() + wait;
    while (!(await take())) {
      const holder = await read(paths.lock);
      if (holder === undefined) continue;
      const alive = (await findProcesses(guardMarks(paths))).includes(Number(holder));
      if (!alive || holder === String(process.pid)) {
        await removeStale(paths.lock, holder);
      } else if (performance.now() < deadline) {
        signal?.throwIfAborted();
        await pause(limits.lockPoll);
      } else {
        throw new ChainError(
          'dev_chain_locked',
          `another development chain (process ${holder}) runs in ${paths.folder}; stop it or choose another data folder`,
        );
      }
    }
  } finally {
    await rm(own, { force: true });
  }
  return () => rm(paths.lock, { force: true });
}

/** Takes the lock of a dead guard away; a lock that somebody else has put there in the meantime is put back. */
async function removeStale(lock: string, holder: string): Promise<void> {
  const aside = `${lock}.${process.pid}.stale.tmp`;
  try {
    await rename(lock, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  if ((await read(aside)) !== holder) await tryLink(aside, lock);
  await rm(aside, { force: true });
}

/** Kills every anvil of this folder that outlived its guard, and waits for its end. Call with the lock held. @returns their process ids */
export async function reapAnvils(paths: DevChainPaths): Promise<number[]> {
  const orphans = await findProcesses(anvilMarks(paths));
  orphans.forEach(killProcess);
  const deadline = performance.now() + limits.lockWait;
  while ((await findProcesses(anvilMarks(paths))).some((pid) => orphans.includes(pid))) {
    if (performance.now() > deadline) throw new ChainError('dev_chain_failed', `anvil (process ${orphans.join(', ')}) survives SIGKILL`);
    await pause(limits.lockPoll);
  }
  return orphans;
}

/** The same after the death of the guard `guardPid`, without the lock: nothing happens when another guard has taken over, which reaps by itself. */
export async function reapAfterGuard(paths: DevChainPaths, guardPid: number): Promise<void> {
  const orphans = await findProcesses(anvilMarks(paths));
  // looked up in this order, an anvil of a later guard is never in the list
  if ((await read(paths.lock)) === String(guardPid)) orphans.forEach(killProcess);
}
