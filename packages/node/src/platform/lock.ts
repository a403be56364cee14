import { readFileSync } from 'node:fs';
import { link, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CommonweightError } from '@commonweight/protocol';
import { journalLimits } from '../limits.ts';
import { isErrno, readSmallFile } from './files.ts';
import { randomHex } from './random.ts';

/**
 * Keeps a folder to one process. The holder is the highest numbered file `lock.N`; taking over from a dead or released holder means to create
 * `lock.N+1` (by link(2), which one taker alone can win), and numbers never go back: so a slow taker cannot remove or overtake a lock that is newer than what it saw.
 */
export class FolderLock {
  readonly #path: string;

  private constructor(path: string) {
    this.#path = path;
  }

  static async acquire(folder: string): Promise<FolderLock> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const current = await highestLock(folder);
    if (current > 0) await refuseLiveHolder(join(folder, `lock.${current}`));
    const path = join(folder, `lock.${current + 1}`);
    const temporary = join(folder, `take.${process.pid}.${randomHex(6)}`);
    await writeFile(temporary, JSON.stringify({ pid: process.pid, started: startOf(process.pid)?.started ?? null }), { mode: 0o600 });
    try {
      await link(temporary, path);
    } catch (error) {
      if (isErrno(error, 'EEXIST')) throw locked(folder, 'another process took it just now');
      throw error;
    } finally {
      await rm(temporary, { force: true });
    }
    if (current > 0) await rm(join(folder, `lock.${current}`), { force: true });
    return new FolderLock(path);
  }

  /** Lets another process in. */
  async release(): Promise<void> {
    const temporary = `${this.#path}.released`;
    await writeFile(temporary, JSON.stringify({ pid: 0, started: null }), { mode: 0o600 });
    await rename(temporary, this.#path);
  }
}

async function highestLock(folder: string): Promise<number> {
  const numbers = (await readdir(folder)).map((name) => Number(/^lock\.([1-9][0-9]{0,14})$/.exec(name)?.[1] ?? 0)).filter((n) => n > 0);
  if (numbers.length > journalLimits.lockFiles) throw locked(folder, 'too many lock files; remove them when no process uses the folder');
  return Math.max(0, ...numbers);
}

async function refuseLiveHolder(path: string): Promise<void> {
  const text = (await readSmallFile(path, journalLimits.lockBytes)).toString('utf8');
  let holder: { pid?: unknown; started?: unknown };
  try {
    holder = JSON.parse(text) as typeof holder;
  } catch (cause) {
    throw new CommonweightError(`${path} is damaged; remove it when no process uses the folder`, { code: 'locked', action: 'stop', cause });
  }
  if (typeof holder.pid !== 'number' || holder.pid === 0) return;
  const running = startOf(holder.pid);
  if (running && (running.started === null || running.started === holder.started)) throw locked(path, `process ${holder.pid} uses it`);
}

const locked = (path: string, why: string): CommonweightError =>
  new CommonweightError(`${path}: ${why}; a journal belongs to one process, since two would sign twice`, {
    code: 'locked',
    action: 'stop',
  });

/** Whether a process lives, and since when (clock ticks since boot, where /proc tells): a process id can be used again by another program. */
function startOf(pid: number): { readonly started: string | null } | undefined {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ').at(-1)!.split(' ');
    return fields[0] === 'Z' ? undefined : { started: fields[19]! };
  } catch {
    // no /proc on this system, or no such process: the signal tells
  }
  try {
    process.kill(pid, 0);
    return { started: null };
  } catch (error) {
    return isErrno(error, 'EPERM') ? { started: null } : undefined;
  }
}
