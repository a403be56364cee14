import { mkdtemp, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Journal } from './journal.ts';
import { encodeRecord } from './record.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'commonweight-journal-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const file = (): string => join(folder, 'journal');

async function open() {
  const values: unknown[] = [];
  const opened = await Journal.open(folder, (value) => values.push(value));
  return { ...opened, values };
}

async function fill(count: number): Promise<void> {
  const { journal } = await open();
  for (let i = 0; i < count; i++) await journal.append({ i, pad: 'x'.repeat(50 * i) });
  await journal.close();
}

describe('journal', () => {
  it('replays what was appended, in order, and reads it by offset', async () => {
    const { journal } = await open();
    // appended without waiting: order is the order of the calls
    const offsets = await Promise.all(Array.from({ length: 40 }, (_, i) => journal.append({ i })));
    expect(await journal.read(offsets[17]!)).toEqual({ i: 17 });
    await journal.close();
    const again = await open();
    expect(again.values).toEqual(Array.from({ length: 40 }, (_, i) => ({ i })));
    expect([again.records, again.tornBytes]).toEqual([40, 0]);
    await again.journal.close();
  });

  it('replays journals longer than its window', async () => {
    const { journal } = await open();
    const pad = 'y'.repeat(60_000);
    for (let i = 0; i < 12; i++) await journal.append({ i, pad });
    await journal.close();
    const again = await open();
    expect(again.values.map((value) => (value as { i: number }).i)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    await again.journal.close();
  });

  it('cuts off a torn last record, wherever it was cut, and appends after it', async () => {
    await fill(3);
    const whole = await readFile(file());
    const lastStart = whole.length - encodeRecord(Buffer.from(JSON.stringify({ i: 2, pad: 'x'.repeat(100) }))).length;
    for (const cut of [lastStart + 1, lastStart + 11, lastStart + 12, lastStart + 60, whole.length - 1]) {
      await writeFile(file(), whole.subarray(0, cut));
      const torn = await open();
      expect([torn.records, torn.tornBytes]).toEqual([2, cut - lastStart]);
      await torn.journal.append({ after: cut });
      await torn.journal.close();
      const again = await open();
      expect(again.values.at(-1)).toEqual({ after: cut });
      expect([again.records, again.tornBytes]).toEqual([3, 0]);
      await again.journal.close();
    }
  });

  it('cuts off a tail of zeros, as a file system leaves it after a power failure', async () => {
    await fill(2);
    const { size } = await stat(file());
    await truncate(file(), size + 5000);
    const { records, tornBytes, journal } = await open();
    expect([records, tornBytes, (await stat(file())).size]).toEqual([2, 5000, size]);
    await journal.close();
  });

  it('refuses a journal with damage in the middle or in the last record, and leaves it as it is', async () => {
    await fill(4);
    const whole = await readFile(file());
    for (const at of [3, 9, 20, 300, whole.length - 5]) {
      const damaged = Buffer.from(whole);
      damaged[at]! ^= 0x10;
      await writeFile(file(), damaged);
      await expect(open(), `byte ${at}`).rejects.toMatchObject({ code: 'journal_damaged', action: 'stop' });
      expect(await readFile(file())).toEqual(damaged);
    }
    await writeFile(file(), whole);
    const { records, journal } = await open();
    expect(records).toBe(4);
    await journal.close();
  });

  it('belongs to one opener at a time, and is free again after closing or a refused replay', async () => {
    const first = await open();
    await expect(open()).rejects.toMatchObject({ code: 'locked', action: 'stop' });
    await first.journal.append({ only: 'record' });
    await first.journal.close();
    const refuse = (): never => {
      throw new Error('not mine');
    };
    await expect(Journal.open(folder, refuse)).rejects.toThrow('not mine');
    const last = await open();
    expect(last.records).toBe(1);
    await last.journal.close();
  });

  it('accepts nothing after it was closed', async () => {
    const { journal } = await open();
    await journal.close();
    await expect(journal.append({ late: true })).rejects.toMatchObject({ code: 'journal_broken', action: 'stop' });
  });
});
