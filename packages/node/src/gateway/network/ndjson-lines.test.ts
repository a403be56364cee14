import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type LineLimits, ndjsonLines } from './ndjson-lines.ts';

const limits: LineLimits = { short: 16, long: 64, longStart: Buffer.from('{"long"') };

async function lines(text: string | Uint8Array, cuts: readonly number[] = []): Promise<string[]> {
  const bytes = Buffer.from(text as string);
  const at = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).toSorted((a, b) => a - b), bytes.length];
  async function* chunks(): AsyncGenerator<Uint8Array> {
    for (let i = 1; i < at.length; i++) yield bytes.subarray(at[i - 1], at[i]);
  }
  const found: string[] = [];
  for await (const line of ndjsonLines(chunks(), limits)) found.push(line);
  return found;
}

test('how the bytes are cut never changes the lines', () =>
  fc.assert(
    fc.asyncProperty(
      fc.array(fc.string({ unit: fc.constantFrom('a', 'é', '🗼', ' '), maxLength: 4 }), { maxLength: 6 }),
      fc.array(fc.nat(), { maxLength: 8 }),
      async (expected, cuts) => {
        expect(await lines(expected.map((line) => `${line}\n`).join(''), cuts)).toEqual(expected);
      },
    ),
  ));

test.each([[[]], [[1, 3, 5, 20]]])('a line over its limit is refused, cut at %j', async (cuts) => {
  await expect(lines(`${'x'.repeat(17)}\n`, cuts)).rejects.toThrow(/more than 16 bytes/);
  await expect(lines('x'.repeat(1000), cuts)).rejects.toThrow(/more than 16 bytes/);
  expect(await lines(`{"long"${'x'.repeat(57)}\n`, cuts)).toHaveLength(1);
  await expect(lines(`{"long"${'x'.repeat(58)}\n`, cuts)).rejects.toThrow(/more than 64 bytes/);
  await expect(lines(`ok\n{"lonX"${'x'.repeat(30)}\n`, cuts)).rejects.toThrow(/more than 16 bytes/);
});

test('bytes that are no UTF-8, and an end inside a line', async () => {
  await expect(lines(Uint8Array.of(0xff, 0x0a))).rejects.toThrow(/no UTF-8/);
  await expect(lines('{"a":1}\n{"b"')).rejects.toThrow(/middle of a line/);
});
