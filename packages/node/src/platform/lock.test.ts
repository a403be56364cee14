import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FolderLock } from './lock.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'commonweight-lock-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function deadPid(): Promise<number> {
  const child = spawn(process.execPath, ['-e', '']);
  await once(child, 'exit');
  return child.pid!;
}

describe('folder lock', () => {
  it('is taken over from a dead process, by one taker alone', async () => {
    await writeFile(join(folder, 'lock.7'), JSON.stringify({ pid: await deadPid(), started: '1' }));
    const takers = await Promise.allSettled(Array.from({ length: 8 }, () => FolderLock.acquire(folder)));
    expect(takers.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(await readdir(folder)).toEqual(['lock.8']);
  });

  it('is taken over when the process id belongs to another program now', async () => {
    await writeFile(join(folder, 'lock.1'), JSON.stringify({ pid: process.pid, started: 'long ago' }));
    const lock = await FolderLock.acquire(folder);
    await expect(FolderLock.acquire(folder)).rejects.toMatchObject({ code: 'locked' });
    await lock.release();
    await (await FolderLock.acquire(folder)).release();
  });

  it('is refused when the file is damaged: whether somebody holds it cannot be told', async () => {
    await writeFile(join(folder, 'lock.2'), '{');
    await expect(FolderLock.acquire(folder)).rejects.toMatchObject({ code: 'locked', action: 'stop' });
    expect(await readdir(folder)).toEqual(['lock.2']);
  });
});
