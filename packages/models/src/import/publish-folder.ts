import { access, mkdtemp, open, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { openPackage } from '../package/open-package.ts';

/** A fresh folder for unfinished work, named after this process; removes those of processes that no longer run. */
export async function temporaryFolder(parent: string): Promise<string> {
  for (const name of await readdir(parent)) {
    const pid = /^\.import-(\d+)-/.exec(name)?.[1];
    if (pid !== undefined && !isRunning(Number(pid))) await rm(join(parent, name), { recursive: true, force: true });
  }
  return await mkdtemp(join(parent, `.import-${process.pid}-`));
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Makes names in a folder survive a power cut. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Moves a finished folder to `dir` in one step. A sound package that is there already stays; a broken one is replaced. */
export async function publishFolder(temporary: string, dir: string): Promise<void> {
  if (await exists(dir)) {
    if (await isSound(dir)) return;
    await rm(dir, { recursive: true, force: true });
  }
  try {
    await rename(temporary, dir);
  } catch (error) {
    // Another process may have published the same package between the look and the move.
    const taken = ['ENOTEMPTY', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '');
    if (!taken || !(await isSound(dir))) throw error;
  }
  await syncFolder(dirname(dir));
}

async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}

async function isSound(dir: string): Promise<boolean> {
  try {
    const model = await openPackage(dir);
    try {
      model.verifyWeights();
      return true;
    } finally {
      await model.close();
    }
  } catch {
    // Whatever is wrong with it, the package that was just made takes its place.
    return false;
  }
}
