import { readFileSync } from 'node:fs';
import { CommonweightError } from '@commonweight/protocol';
import { describe, expect, it } from 'vitest';
import { prepareImport } from '../import/prepare.ts';
import { tinyModel } from '../testing/tiny-model.ts';
import { metadataBytes, headerBytes, writeGguf } from '../testing/write-gguf.ts';
import { memorySource } from './byte-source.ts';
import { GgufError } from './gguf-error.ts';
import { parseGguf } from './parse-gguf.ts';

const folder = new URL('../../../../conformance/gguf/', import.meta.url);
const cases = JSON.parse(readFileSync(new URL('cases.json', folder), 'utf8')) as { file: string; code: string }[];

/** Counts what is read, to show that a hostile file costs nothing. */
function counted(bytes: Uint8Array): { readonly source: ReturnType<typeof memorySource>; readonly read: () => number } {
  let count = 0;
  const inner = memorySource(bytes);
  const source = {
    size: bytes.length,
    read(offset: number, target: Uint8Array) {
      count += target.length;
      inner.read(offset, target);
    },
  };
  return { source, read: () => count };
}

function errorOf(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  return undefined;
}

describe('conformance/gguf', () => {
  it.each(cases)('$file is refused as $code', ({ file, code }) => {
    const { source, read } = counted(readFileSync(new URL(file, folder)));
    const start = process.cpuUsage();
    const error = errorOf(() => parseGguf(source));
    expect(process.cpuUsage(start).user).toBeLessThan(50_000);
    expect(error).toBeInstanceOf(GgufError);
    expect((error as GgufError).code).toBe(code);
    expect((error as GgufError).field).not.toBe('');
    expect((error as GgufError).details['offset']).toBeTypeOf('number');
    expect(read()).toBeLessThan(200_000);
  });

  it('all together take no more than 32 MB', () => {
    const files = cases.map(({ file }) => readFileSync(new URL(file, folder)));
    const before = process.memoryUsage().rss;
    for (const bytes of files) expect(errorOf(() => parseGguf(memorySource(bytes)))).toBeDefined();
    expect(process.memoryUsage().rss - before).toBeLessThan(32 << 20);
  });

  it('names the field and the byte', () => {
    const error = errorOf(() => parseGguf(memorySource(readFileSync(new URL('string_one_too_long_fail.gguf', folder)))));
    expect((error as GgufError).message).toBe('GGUF "general.name" (length) at byte 48: expected at most 3, for 3 bytes are left, got 4');
    expect((error as GgufError).details).toMatchObject({ offset: 48 });
  });

  it('refuses 9.9 million tensors in 174 bytes at once', () => {
    const bytes = readFileSync(new URL('ten_million_tensors_fail.gguf', folder));
    expect(bytes.length).toBe(174);
    const start = process.cpuUsage();
    expect(errorOf(() => parseGguf(memorySource(bytes)))).toBeInstanceOf(GgufError);
    expect(process.cpuUsage(start).user).toBeLessThan(50_000);
  });
});

describe('parseGguf', () => {
  it('reads keys and tensors', () => {
    const data = Uint8Array.from({ length: 40 }, (_, i) => i);
    const bytes = writeGguf(
      [
        { key: 'a', type: 'u32', value: 7 },
        { key: 'b', type: 'strings', value: ['x', 'ÿ'] },
        { key: 'c', type: 'bool', value: true },
      ],
      [
        { name: 'one', type: 'F32', shape: [5, 2], data },
        { name: 'two', type: 'F16', shape: [4], data: data.subarray(0, 8) },
      ],
    );
    const gguf = parseGguf(memorySource(bytes));
    expect([...gguf.metadata]).toEqual([
      ['a', 7],
      ['b', ['x', 'ÿ']],
      ['c', true],
    ]);
    const one = gguf.tensors.get('one')!;
    expect(one).toMatchObject({ type: 'F32', shape: [5, 2], bytes: 40 });
    expect(bytes.subarray(one.offset, one.offset + 40)).toEqual(data);
    expect(gguf.tensors.get('two')!.offset).toBe(one.offset + 64);
  });

  it('accepts a string across the edge of its read window', () => {
    const value = 'é'.repeat(60_000);
    const bytes = headerBytes(0, 2, metadataBytes({ key: 'a', type: 'string', value }), metadataBytes({ key: 'b', type: 'u32', value: 3 }));
    expect([...parseGguf(memorySource(bytes)).metadata.values()]).toEqual([value, 3]);
  });
});

describe('a damaged file gives a typed error or a sound result', () => {
  const whole = tinyModel({ layers: 1 });
  // Metadata and tensor list; beyond it are weights, which any bytes are.
  const header = Math.min(...[...parseGguf(memorySource(whole)).tensors.values()].map(({ offset }) => offset));
  const outcome = (bytes: Uint8Array): string => {
    const error = errorOf(() => prepareImport(memorySource(bytes)));
    if (error === undefined) return 'sound';
    if (!(error instanceof CommonweightError)) throw error;
    return error.code;
  };

  it('cut at any length', () => {
    expect(outcome(whole)).toBe('sound');
    for (let length = 0; length < whole.length; length += length < header ? 37 : 1_021)
      expect(outcome(whole.subarray(0, length))).not.toBe('sound');
  });

  it('with any byte of the header changed', () => {
    let refused = 0;
    for (let at = 0; at < header; at += 13) {
      const bytes = whole.slice();
      bytes[at] = bytes[at]! ^ (1 << (at % 8));
      if (outcome(bytes) !== 'sound') refused++;
      bytes[at] = 0xff;
      if (outcome(bytes) !== 'sound') refused++;
    }
    expect(refused).toBeGreaterThan(100);
  });
});
