import { concatBytes, residualDigest } from '@commonweight/protocol';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { littleEndianBytes } from '../little-endian-bytes.ts';
import { builtAddon, noCompiler } from '../testing/built-addon.node.ts';
import { buildTinyModel, tinyShapes } from '../testing/tiny-model.ts';
import type { NativeModel } from './addon.ts';
import { openBestBackend } from './best-executor.node.ts';
import { loadNativeAddon } from './load-native-addon.node.ts';
import { modelWords } from './model-words.ts';

const folder = mkdtempSync(join(tmpdir(), 'native-addon-test-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('finding the addon', () => {
  it('gives nothing where none is built, and a clear error for a file that is none', () => {
    expect(loadNativeAddon(join(folder, 'absent.node'))).toBeUndefined();
    const file = join(folder, 'engine.node');
    writeFileSync(file, 'not a shared object');
    expect(() => loadNativeAddon(file)).toThrow(/engine\.node cannot be used: .*npm run build:native.*use WASM/);
  });

  it('falls back to WASM and says why', () => {
    const none = openBestBackend({ load: () => undefined });
    expect([none.name, none.reason]).toEqual(['wasm', expect.stringContaining('not built')]);
    const broken = openBestBackend({
      threads: 2,
      load: () => {
        throw new Error('broken file');
      },
    });
    expect([broken.name, broken.reason]).toEqual(['wasm', 'broken file']);
    const { manifest, source } = buildTinyModel();
    const executor = broken.create(manifest, source);
    expect(executor.backend).toBe('wasm-threads-2');
    executor.close();
    const single = openBestBackend({ choice: 'wasm', threads: 1 });
    expect(single.create(manifest, source).backend).toBe('wasm');
  });

  it('takes WASM without a word when it was asked for, and refuses when nothing but the addon was', () => {
    const asked = openBestBackend({ choice: 'wasm', load: () => expect.unreachable('not asked for') });
    expect([asked.name, asked.reason]).toEqual(['wasm', undefined]);
    expect(() => openBestBackend({ choice: 'native', load: () => undefined })).toThrow(/native engine was asked for: .* is not built/);
  });
});

describe.skipIf(noCompiler !== undefined)(`native addon${noCompiler === undefined ? '' : ` (${noCompiler})`}`, () => {
  const addon = noCompiler === undefined ? builtAddon() : undefined!;

  it('is chosen when it passes the self-test, and not when it computes one wrong bit', () => {
    const { manifest, source } = buildTinyModel();
    const best = openBestBackend({ load: () => addon });
    expect([best.name, best.reason]).toEqual(['native', undefined]);
    const executor = best.create(manifest, source);
    expect(executor.backend).toContain(`native-${addon.levels[0]}`);
    executor.close();
    const wrong: typeof addon = {
      ...addon,
      logits: (model, wanted, logits, ...by) => {
        const done = addon.logits(model, wanted, logits, ...by);
        logits[3]! ^= 1;
        return done;
      },
    };
    const other = openBestBackend({ load: () => wrong });
    expect([other.name, other.reason]).toEqual(['wasm', expect.stringContaining('self-test')]);
  });

  it('digests residual vectors as the protocol does, where the processor has the instructions', () => {
    const { residualDigests } = addon;
    if (residualDigests === undefined) return;
    for (const width of [1, 13, 250, 251, 254, 255, 256, 257, 512, 576, 2048, 2049, 65_536]) {
      const values = Int32Array.from({ length: 3 * width }, (_, i) => (i * 2_654_435_761) | 0);
      const digests = new Uint8Array(4 * 32);
      residualDigests(values, width, 3, digests);
      const expected = [0, 1, 2].map((i) => residualDigest(littleEndianBytes(values.subarray(i * width, (i + 1) * width))));
      expect(digests).toEqual(concatBytes(...expected, new Uint8Array(32)));
    }
    const [values, digests] = [new Int32Array(64), new Uint8Array(64)];
    for (const [width, count] of [
      [0, 1],
      [65_537, 1],
      [33, 2],
      [16, 3],
      [16, -1],
    ] as const) {
      expect(() => residualDigests(values, width, count, digests)).toThrow(TypeError);
    }
  });

  it('takes no word of JavaScript on trust: every changed word of a model is refused or stays within memory', () => {
    const { manifest, weights } = buildTinyModel(tinyShapes.odd);
    const buffer = new ArrayBuffer(weights.length + 64);
    const start = addon.prepare(buffer);
    new Uint8Array(buffer, start).set(weights);
    const words = modelWords(manifest);
    const create = (changed: BigInt64Array): NativeModel | undefined => addon.createModel('plain', buffer, start, changed, 1);
    expect(create(words)).toBeDefined();
    expect(() => create(words.slice(0, -1))).toThrow(TypeError);
    expect(() => create(BigInt64Array.of(...words, 0n))).toThrow(TypeError);
    for (const i of words.keys()) {
      for (const value of [-(2n ** 63n), -1_000_000n, 2n ** 31n, 2n ** 40n, 2n ** 63n - 1n]) {
        // an epsilon may be large; every other word has a bound below
        if ((i === 11 || i === 12) && value > 0n && value <= 2n ** 53n) continue;
        expect(() => create(words.with(i, value)), `word ${i} = ${value}`).toThrow(TypeError);
      }
    }
    expect(() => addon.createModel('plain', new ArrayBuffer(64), 0, words, 1)).toThrow(TypeError);
    expect(() => addon.createModel('plain', buffer, (start + 16) % 64, words, 1)).toThrow('multiple of 64');
  });

  it('refuses ids, positions, caches and results that do not fit', () => {
    const { manifest, weights } = buildTinyModel();
    const buffer = new ArrayBuffer(weights.length + 64);
    const start = addon.prepare(buffer);
    new Uint8Array(buffer, start).set(weights);
    const model = addon.createModel('plain', buffer, start, modelWords(manifest), 2)!;
    for (const threads of [0, 65, 1.5]) {
      expect(() => addon.createModel('plain', buffer, start, modelWords(manifest), threads)).toThrow('1 to 64 threads');
    }
    const cache = new ArrayBuffer(2 * 2 * 8 * 40);
    const committed = new Int32Array(64 * 2 * 64);
    const logits = new Int32Array(64 * 96);
    const row = (id: number, index = 0, capacity = 8, position = 0): number[] => [id, index, capacity, position];
    const run = (rows: readonly number[][], caches = [cache], to = committed): boolean =>
      addon.forward(model, Int32Array.from(rows.flat()), caches, to);
    expect(() => addon.logits(model, Int32Array.of(0), logits)).toThrow(TypeError);
    const rows = [1, 2, 3].map((id, position) => row(id, 0, 8, position));
    const refused: readonly (() => void)[] = [
      () => run([row(96)]),
      () => run([row(-1)]),
      () => run([]),
      () =>
        run(
          Array.from({ length: 65 }, (_, i) => row(1, 0, 128, i)),
          [new ArrayBuffer(1 << 20)],
        ),
      () => run([row(1, 1)]),
      () => run([row(1, -1)]),
      () => run([row(1, 0, 9)]),
      () => run([row(1, 0, 8, 8)]),
      () => run([row(1, 0, 8, -1)]),
      () => run([row(1, 0, 0, 0)]),
      () => run([row(1, 0, 129)], [new ArrayBuffer(1 << 20)]),
      () => run(rows, [{} as ArrayBuffer]),
      () => run(rows, [cache], committed.subarray(1, 300)),
      () => addon.forward(model, Int32Array.of(1, 0, 8), [cache], committed),
      () => addon.forward(model, Int32Array.from(rows.flat()), [cache], committed, model, 2),
      () => addon.forward(model, Int32Array.from(rows.flat()), [cache], committed, model, 0),
      () => addon.forward({} as NativeModel, Int32Array.from(rows.flat()), [cache], committed),
      () => addon.forward(model, new Float32Array(4) as unknown as Int32Array, [cache], committed),
      () => (addon.forward as unknown as (...args: unknown[]) => void)(model, rows),
    ];
    for (const call of refused) expect(call).toThrow(TypeError);
    expect(run(rows)).toBe(true);
    for (const wanted of [[3], [-1], [], [0, 1, 2, 3]]) {
      expect(() => addon.logits(model, Int32Array.from(wanted), logits)).toThrow(TypeError);
    }
    expect(() => addon.logits(model, Int32Array.of(0, 1, 2), logits.subarray(0, 287))).toThrow(TypeError);
    addon.logits(model, Int32Array.of(2, 0, 2), logits);
    expect(logits.slice(0, 96)).toEqual(logits.slice(192, 288));
    addon.close(model);
    addon.close(model);
  });
});
