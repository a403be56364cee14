import { readFileSync } from 'node:fs';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CommonweightError } from '@commonweight/protocol';
import { describe, expect, it } from 'vitest';
import { memorySource } from '../gguf/byte-source.ts';
import { limits } from '../limits.ts';
import { temporaryTestFolder } from '../testing/temporary-folder.ts';
import { tinyCheckpoint, writeCheckpoint } from '../testing/tiny-checkpoint.ts';
import { safetensorsBytes, writeSafetensors } from '../testing/write-safetensors.ts';
import { parseBoundedJson } from './bounded-json.ts';
import { graphFromConfig } from './graph-from-config.ts';
import { JsonFields } from './fields.ts';
import { ggufTensors } from './gguf-tensors.ts';
import { parseSafetensors } from './parse-safetensors.ts';
import { prepareSafetensors } from './prepare-safetensors.ts';
import { SafetensorsError } from './safetensors-error.ts';
import { openShards, parseIndex } from './shards.ts';

const folder = new URL('../../../../conformance/safetensors/', import.meta.url);
const cases = JSON.parse(readFileSync(new URL('cases.json', folder), 'utf8')) as { file: string; code: string }[];

function errorOf(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  return undefined;
}
const parse = (bytes: Uint8Array): unknown => parseSafetensors(memorySource(bytes), 'x.safetensors');

describe('conformance/safetensors', () => {
  it.each(cases)('$file is refused as $code, at once', ({ file, code }) => {
    const bytes = readFileSync(new URL(file, folder));
    const start = process.cpuUsage();
    const error = errorOf(() => (file.endsWith('.json') ? parseIndex(bytes) : parse(bytes)));
    expect(process.cpuUsage(start).user).toBeLessThan(50_000);
    expect(error).toBeInstanceOf(SafetensorsError);
    expect((error as SafetensorsError).code).toBe(code);
    expect((error as SafetensorsError).field).not.toBe('');
    expect((error as SafetensorsError).message.length).toBeLessThan(500);
    expect((error as SafetensorsError).message).not.toMatch(/\p{Cc}/u);
  });

  it('all together take no more than 32 MB', () => {
    const files = cases.map(({ file }) => ({ file, bytes: readFileSync(new URL(file, folder)) }));
    const before = process.memoryUsage().rss;
    for (const { file, bytes } of files) expect(errorOf(() => (file.endsWith('.json') ? parseIndex(bytes) : parse(bytes)))).toBeDefined();
    expect(process.memoryUsage().rss - before).toBeLessThan(32 << 20);
  });

  it('names field and place', () => {
    const error = errorOf(() => parse(readFileSync(new URL('tensor_twice_fail.safetensors', folder))));
    expect((error as Error).message).toBe('x.safetensors header at 55: expected each key once, got a second "t"');
  });

  it('a header that is too long for its own good is refused by its length, unread', () => {
    let most = 0;
    const size = 2 ** 36;
    const length = new Uint8Array(new BigUint64Array([BigInt(limits.safetensorsHeaderBytes + 1)]).buffer);
    const read = (_: number, target: Uint8Array): void => {
      most = Math.max(most, target.length);
      target.set(length);
    };
    expect(errorOf(() => parseSafetensors({ size, read }, 'x'))).toMatchObject({ code: 'safetensors_limit' });
    expect(most).toBe(8);
  });

  it.each([
    ['objects', '{"a":[', '{"a":1},', '0]}'],
    ['arrays', '{"a":[', '[1],', '0]}'],
    ['numbers', '{"a":[', '1,', '0]}'],
    ['strings with escapes', '{"a":[', '"\\n",', '0]}'],
    ['one string of escapes', '{"', '\\u0041', '":0}'],
  ])('the longest header, full of %s, costs little time and memory', (_, start, unit, end) => {
    const bytes = safetensorsBytes(start + unit.repeat((limits.safetensorsHeaderBytes - 16) / unit.length) + end);
    const cpu = process.cpuUsage();
    const before = process.memoryUsage().rss;
    expect(errorOf(() => parse(bytes))).toBeInstanceOf(SafetensorsError);
    // Measured alone: at most 90 ms and 26 MB. A slow machine passes, a quadratic parser (minutes) does not.
    expect(process.cpuUsage(cpu).user).toBeLessThan(400_000);
    expect(process.memoryUsage().rss - before).toBeLessThan(64 << 20);
  });
});

describe('parseSafetensors', () => {
  it('reads tensors in any order', () => {
    const data = Uint8Array.from({ length: 24 }, (_, i) => i);
    const bytes = writeSafetensors([
      { name: 'a', type: 'F16', shape: [2, 3], data: data.subarray(0, 12) },
      { name: 'b', type: 'F32', shape: [3], data: data.subarray(12) },
    ]);
    const tensors = parseSafetensors(memorySource(bytes), 'x');
    expect([...tensors.keys()]).toEqual(['a', 'b']);
    const { offset, ...b } = tensors.get('b')!;
    expect(b).toEqual({ name: 'b', type: 'F32', shape: [3], bytes: 12 });
    expect(bytes.subarray(offset)).toEqual(data.subarray(12));
  });
});

describe('parseBoundedJson', () => {
  it.each([
    '{"a":[1,-0.5e+3,true,false,null,"\\u00e9\\n\\ud83d\\ude00é😀"],"b":{}} \n',
    '[]',
    ' "x" ',
    '"\u007f\u0085"',
    '-0',
    '[[],[{}]]',
  ])('%s as JSON.parse', (text) => {
    const plain = (value: unknown): unknown => {
      if (value instanceof Map) return Object.fromEntries([...value].map(([key, item]) => [key, plain(item)]));
      return Array.isArray(value) ? value.map(plain) : value;
    };
    expect(plain(parseBoundedJson(new TextEncoder().encode(text), 'x'))).toEqual(JSON.parse(text));
  });

  it('__proto__ is a key like any other', () => {
    const value = parseBoundedJson(new TextEncoder().encode('{"__proto__":{"a":1}}'), 'x') as ReadonlyMap<string, unknown>;
    expect([...value.keys()]).toEqual(['__proto__']);
  });
});

describe('a damaged file gives a typed error or a sound result', () => {
  const checkpoint = tinyCheckpoint({ layers: 1 });
  const whole = writeSafetensors(checkpoint.tensors);
  const header = 8 + new DataView(whole.buffer).getUint32(0, true);
  const { graph } = graphFromConfig(
    new JsonFields(parseBoundedJson(Buffer.from(JSON.stringify(checkpoint.json['config.json'])), 'x'), 'x'),
  );
  const outcome = (work: () => unknown): string => {
    const error = errorOf(work);
    if (error === undefined) return 'sound';
    if (!(error instanceof CommonweightError)) throw error;
    return error.code;
  };
  const read = (bytes: Uint8Array): string =>
    outcome(() => {
      const source = memorySource(bytes);
      const found = parseSafetensors(source, 'x');
      ggufTensors(new Map([...found].map(([name, tensor]) => [name, { ...tensor, source }])), graph);
    });

  it('cut at any length', () => {
    expect(read(whole)).toBe('sound');
    for (let length = 0; length < whole.length; length += length < header ? 7 : 1_021)
      expect(read(whole.subarray(0, length))).not.toBe('sound');
  });

  it('with any byte of the header changed', () => {
    let refused = 0;
    for (let at = 0; at < header; at++) {
      const bytes = whole.slice();
      for (const value of [bytes[at]! ^ (1 << (at % 8)), 0xff, 0x22, 0x7b, 0x39]) {
        bytes[at] = value;
        if (read(bytes) !== 'sound') refused++;
      }
    }
    expect(refused).toBeGreaterThan(header * 3);
  });

  it('a folder with any of its JSON files damaged', { timeout: 60_000 }, async () => {
    const dir = await temporaryTestFolder();
    await writeCheckpoint(dir, checkpoint, 2);
    let refused = 0;
    const attempt = async (): Promise<void> => {
      try {
        const shards = await openShards(dir);
        try {
          await prepareSafetensors(dir, shards);
        } finally {
          await shards.close();
        }
      } catch (error) {
        if (!(error instanceof CommonweightError)) throw error;
        refused++;
      }
    };
    await attempt();
    expect(refused).toBe(0);
    for (const name of (await readdir(dir)).filter((file) => file.endsWith('.json'))) {
      const text = readFileSync(join(dir, name));
      for (let i = 0; i < 40; i++) {
        const at = Math.floor((text.length * i) / 40);
        await writeFile(join(dir, name), i % 2 ? text.subarray(0, at) : text.map((byte, j) => (j === at ? 0x5d : byte)));
        await attempt();
      }
      await rm(join(dir, name));
      await attempt();
      await mkdir(join(dir, name));
      await attempt();
      await rm(join(dir, name), { recursive: true });
      await writeFile(join(dir, name), text);
    }
    expect(refused).toBeGreaterThan(120);
    refused = 0;
    await attempt();
    expect(refused).toBe(0);
  });
});

describe('openShards', () => {
  it.each([
    [
      'a tensor that is in another shard than the index says',
      (map: Record<string, string>) => ({
        ...map,
        'model.norm.weight': Object.values(map).find((file) => file !== map['model.norm.weight'])!,
      }),
    ],
    ['a tensor that no shard has', (map: Record<string, string>) => ({ ...map, 'model.more.weight': Object.values(map)[0]! })],
    ['a tensor that the index leaves out', (map: Record<string, string>) => Object.fromEntries(Object.entries(map).slice(1))],
    ['a shard that is missing', (map: Record<string, string>) => ({ ...map, 'model.more.weight': 'model-more.safetensors' })],
  ])('refuses %s', async (_, change) => {
    const dir = await temporaryTestFolder();
    await writeCheckpoint(dir, tinyCheckpoint({ layers: 1 }), 2);
    const path = join(dir, 'model.safetensors.index.json');
    const index = JSON.parse(readFileSync(path, 'utf8')) as { weight_map: Record<string, string> };
    await writeFile(path, JSON.stringify({ weight_map: change(index.weight_map) }));
    await expect(openShards(dir)).rejects.toBeInstanceOf(CommonweightError);
  });

  it('says what it looks for in a folder without weights', async () => {
    const dir = await temporaryTestFolder();
    await expect(openShards(dir)).rejects.toThrow('model.safetensors or model.safetensors.index.json');
  });
});
