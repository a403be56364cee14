import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Hex32, type Receipt, ThinCommitment, toHex, uintBE } from '@commonweight/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DigestStore } from './digest-store.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'commonweight-digests-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const id = (n: number): Hex32 => toHex(uintBE(n, 32)) as Hex32;
const digests = Uint8Array.from({ length: 32 * 2 * 4 }, (_, i) => i);
// 3 prompt ids and 2 tokens run 4 positions
const receipt = { promptTokens: 3, completionTokens: 2, thinRoot: toHex(ThinCommitment.fromBytes(2, digests).root()) } as Receipt;

describe('digest store', () => {
  it('gives back what was put, and only what fits the receipt', async () => {
    const store = await DigestStore.open(folder);
    await store.put(id(1), digests);
    expect(Uint8Array.from((await store.get(id(1), receipt, 2))!)).toEqual(digests);
    expect(await store.get(id(2), receipt, 2)).toBeUndefined();
    const changed = Uint8Array.from(digests);
    changed[77]! ^= 1;
    await writeFile(join(folder, `${id(1).slice(2)}.bin`), changed);
    expect(await store.get(id(1), receipt, 2)).toBeUndefined();
    await writeFile(join(folder, `${id(1).slice(2)}.bin`), digests.subarray(0, 224));
    expect(await store.get(id(1), receipt, 2)).toBeUndefined();
  });

  it('keeps the newest, also over a restart, and removes half-written files', async () => {
    const store = await DigestStore.open(folder, 3);
    for (let n = 0; n < 5; n++) await store.put(id(n), digests);
    expect(await readdir(folder)).toHaveLength(3);
    expect(await store.get(id(1), receipt, 2)).toBeUndefined();
    expect(await store.get(id(4), receipt, 2)).toBeDefined();
    await writeFile(join(folder, 'half.tmp'), 'x');
    const again = await DigestStore.open(folder, 2);
    expect(await readdir(folder)).toHaveLength(2);
    await again.put(id(9), digests);
    expect(await readdir(folder)).toHaveLength(2);
  });
});
