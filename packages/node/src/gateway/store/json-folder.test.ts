import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { JsonFolder } from './json-folder.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'json-folder-'));
});
afterEach(() => rm(folder, { recursive: true }));

test('the oldest files go when there are too many, also over a restart', async () => {
  const first = await JsonFolder.open(folder, 3);
  for (const name of ['a', 'b', 'c']) await first.put(name, `"${name}"`);
  for (const [i, name] of ['a', 'b', 'c'].entries()) await utimes(join(folder, `${name}.json`), 1000 + i, 1000 + i);
  const again = await JsonFolder.open(folder, 3);
  await Promise.all([again.put('d', '"d"'), again.put('e', '"e"')]);
  expect((await readdir(folder)).toSorted()).toEqual(['c.json', 'd.json', 'e.json']);
  expect(await again.get('c', 100)).toBe('"c"');
  expect(await again.get('a', 100)).toBeUndefined();
});

test('what an interrupted writer left is cleared away', async () => {
  await writeFile(join(folder, 'x.json.123.tmp'), '{');
  const files = await JsonFolder.open(folder, 3);
  expect(await readdir(folder)).toEqual([]);
  expect(await files.get('x', 100)).toBeUndefined();
});

test('a file that is longer than allowed is not read', async () => {
  const files = await JsonFolder.open(folder, 3);
  await files.put('a', '"0123456789"');
  await expect(files.get('a', 5)).rejects.toThrow(/at most 5 bytes/);
});

test('a name that was never put is not looked up on disk', async () => {
  const files = await JsonFolder.open(join(folder, 'inside'), 3);
  await writeFile(join(folder, 'secret.json'), '1');
  expect(await files.get('../secret', 100)).toBeUndefined();
});
