import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sseData } from './sse.ts';

const collect = async (parts: readonly Uint8Array[]): Promise<string[]> => {
  const left = [...parts];
  const body = new ReadableStream<Uint8Array>({
    pull: (controller) => {
      const part = left.shift();
      if (part) controller.enqueue(part);
      else controller.close();
    },
  });
  const list: string[] = [];
  for await (const data of sseData(body)) list.push(data);
  return list;
};
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

test.each([
  ['data: a\n\ndata:b\n\n', ['a', 'b']],
  [': comment\n\ndata: a\r\n\r\nevent: x\rdata: b\r\r', ['a', 'b']],
  ['data: a\ndata: b\n\n', ['a\nb']],
  ['id: 1\ndata\n\n', ['']],
  ['data:  two\n\n', [' two']],
  ['data: cut', []],
  ['data: cut\n', []],
  ['dataset: a\n\n', []],
])('%j', async (text, expected) => {
  expect(await collect([utf8(text)])).toEqual(expected);
});

test('where the bytes are cut makes no difference', async () => {
  const text = ': k\r\n\r\ndata: grüße €\r\ndata: 🙂\n\ndata: x\r\rdata: y\n\n';
  const bytes = utf8(text);
  const whole = await collect([bytes]);
  expect(whole).toEqual(['grüße €\n🙂', 'x', 'y']);
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(fc.integer({ min: 1, max: bytes.length - 1 })), async (cuts) => {
      const at = [0, ...cuts.toSorted((a, b) => a - b), bytes.length];
      const parts = at.slice(1).map((end, i) => bytes.slice(at[i], end));
      expect(await collect(parts)).toEqual(whole);
    }),
  );
});
