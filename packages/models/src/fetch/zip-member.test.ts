import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { temporaryTestFolder } from '../testing/temporary-folder.ts';
import { writeZip, type ZipEntry } from '../testing/write-zip.ts';
import { extractZipMember } from './zip-member.ts';

const data = Uint8Array.from({ length: 200_000 }, (_, i) => (i * i) >> 7);
const name = 'package/model.gguf';
const other: ZipEntry = { name: '../../escape', data: Uint8Array.of(1, 2, 3) };

async function extract(zip: Uint8Array, bytes = data.length): Promise<Uint8Array> {
  const folder = await temporaryTestFolder();
  const zipPath = join(folder, 'a.zip');
  const outPath = join(folder, 'out');
  await writeFile(zipPath, zip);
  const seen: number[] = [];
  await extractZipMember({ zipPath, member: name, bytes, outPath, onBytes: (done) => seen.push(done) });
  expect(seen.at(-1)).toBe(bytes);
  return new Uint8Array(await readFile(outPath));
}

it.each([true, false])('unpacks one member (stored: %s)', async (stored) => {
  expect(await extract(writeZip([other, { name, data, stored }]))).toEqual(data);
});

it.each<[string, Uint8Array]>([
  ['no zip', new Uint8Array(100)],
  ['empty', new Uint8Array(0)],
  ['cut at the end', writeZip([{ name, data }]).subarray(0, -1)],
  ['cut at the front', writeZip([{ name, data }]).subarray(1)],
  ['no such member', writeZip([other])],
  ['another size', writeZip([{ name, data: data.subarray(1) }])],
  ['a bomb: claims the size, unpacks to more', writeZip([{ name, data: new Uint8Array(50 << 20), claimedSize: data.length }])],
  ['claims the size, unpacks to less', writeZip([{ name, data: data.subarray(9), claimedSize: data.length }])],
  ['an unknown method', writeZip([{ name, data, method: 14 }])],
])('refuses: %s', async (_, zip) => {
  await expect(extract(zip)).rejects.toMatchObject({ code: 'zip' });
});

it('any damaged byte of the directory gives a typed error or the data', async () => {
  const zip = writeZip([other, { name, data: data.subarray(0, 500) }]);
  const outcomes = new Set<string>();
  for (let at = zip.length - 150; at < zip.length; at += 3) {
    const damaged = zip.slice();
    damaged[at]! ^= 0xff;
    const outcome = await extract(damaged, 500).then(
      () => 'data',
      (reason: unknown) => String((reason as { code?: unknown }).code),
    );
    outcomes.add(outcome);
  }
  expect([...outcomes].sort()).toEqual(['data', 'zip']);
});
