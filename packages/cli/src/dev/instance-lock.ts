import { FolderLock } from '@commonweight/node/folder-lock';
import { CommonweightError } from '@commonweight/protocol';
import { join } from 'node:path';
import { UsageError } from '../fault.ts';

/** One `commonweight dev` per data folder; what a SIGKILL left behind is recognised as dead. */
export async function lockDataFolder(folder: string): Promise<AsyncDisposable> {
  try {
    const lock = await FolderLock.acquire(join(folder, 'lock'));
    return { [Symbol.asyncDispose]: () => lock.release() };
  } catch (cause) {
    if (!(cause instanceof CommonweightError && cause.code === 'locked')) throw cause;
    const holder = /process (\d+)/u.exec(cause.message)?.[1];
    const who = holder === undefined ? '' : ` (process ${holder})`;
    throw new UsageError(`Another network already runs on ${folder}${who}: stop it, or choose another folder with --data.`, {
      field: '--data',
      cause,
    });
  }
}
