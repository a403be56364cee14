import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readKeyFile } from './key-file.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'commonweight-key-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const key = `0x${'5a'.repeat(32)}`;

describe('key file', () => {
  it('reads a key that its owner alone can read', async () => {
    await writeFile(join(folder, 'key'), `${key}\n`, { mode: 0o600 });
    expect(await readKeyFile(join(folder, 'key'))).toBe(key);
  });

  it('refuses a key that others can read', async () => {
    await writeFile(join(folder, 'key'), key);
    for (const mode of [0o640, 0o604, 0o620]) {
      await chmod(join(folder, 'key'), mode);
      await expect(readKeyFile(join(folder, 'key'))).rejects.toMatchObject({ code: 'key_file_mode', action: 'stop' });
    }
  });

  it('names a file that is not there', async () => {
    await expect(readKeyFile(join(folder, 'none'))).rejects.toMatchObject({
      code: 'key_file',
      message: expect.stringContaining('there is none') as string,
    });
  });

  it('refuses what is no key, without showing it', async () => {
    for (const text of ['', key.slice(0, -1), `${key}${'0'.repeat(300)}`]) {
      await writeFile(join(folder, 'key'), text, { mode: 0o600 });
      const error = await readKeyFile(join(folder, 'key')).catch((thrown: unknown) => thrown as Error);
      expect(error).toMatchObject({ code: 'key_file' });
      expect((error as Error).message).not.toContain('5a5a');
    }
  });
});
