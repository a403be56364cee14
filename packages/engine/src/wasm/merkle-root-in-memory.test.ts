import { MerkleTag, merkleRootOfBytes, toHex } from '@commonweight/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nodeSha256 } from '../sha256.node.ts';
import { Xorshift } from '../testing/xorshift.ts';
import { instantiate } from './kernels.ts';
import { loadEngineWasm } from './load-engine-wasm.node.ts';
import { merkleRootInMemory } from './merkle-root-in-memory.ts';

const engine = instantiate(loadEngineWasm());
const LARGEST = 70 * 1024;
const start = engine.memory.allocate(LARGEST, 'data');

const random = new Xorshift(20);
const pool = Uint8Array.from({ length: 2 * LARGEST }, () => random.integer(0, 255));
/** Some of the same random bytes, from anywhere. */
const randomBytes = (length: number, seed: number): Uint8Array => pool.subarray(seed % LARGEST, (seed % LARGEST) + length);

/** The root (hexadecimal) in the engine's memory, with other bytes behind the data that must not count. */
function rootInMemory(tag: MerkleTag, data: Uint8Array, most?: number): string {
  const memory = engine.memory.bytes(start, LARGEST);
  memory.fill(0xa5);
  memory.set(data);
  return toHex(merkleRootInMemory(engine, tag, start, data.length, most));
}

describe('merkleRootInMemory (SPEC section 20)', () => {
  // one block, edges of the padding (55, 56, 64 with the two bytes before the data), whole and short last leaves, 1 to 9 leaves, odd levels
  const sizes = [0, 1, 53, 54, 55, 61, 62, 63, 64, 125, 126, 127, 1022, 1023, ...[1, 2, 3, 4, 5, 6, 7, 8, 9].flatMap(around)];
  it.each(sizes)('%i bytes', (size) => {
    const data = randomBytes(size, size + 1);
    expect(rootInMemory(MerkleTag.file, data)).toBe(toHex(merkleRootOfBytes(MerkleTag.file, data, nodeSha256)));
  });

  it('random sizes and tags', () => {
    const tags = fc.constantFrom(...Object.values(MerkleTag));
    fc.assert(
      fc.property(fc.integer({ min: 0, max: LARGEST }), fc.nat(), tags, (size, seed, tag) => {
        const data = randomBytes(size, seed);
        expect(rootInMemory(tag, data)).toBe(toHex(merkleRootOfBytes(tag, data, nodeSha256)));
      }),
    );
  });

  it('in pieces of any power of two', () => {
    for (const size of [0, 1, 1024, 1025, 4096, 4097, 33 * 1024, 65 * 1024 + 1, LARGEST]) {
      const data = randomBytes(size, size + 3);
      const expected = toHex(merkleRootOfBytes(MerkleTag.file, data, nodeSha256));
      for (const most of [1, 2, 4, 32, 64, 128]) expect(rootInMemory(MerkleTag.file, data, most)).toBe(expected);
    }
  });

  it('gives the memory of its digests back', () => {
    const before = engine.memory.allocate(64, 'probe');
    engine.memory.free(before);
    rootInMemory(MerkleTag.file, randomBytes(LARGEST, 7));
    expect(engine.memory.allocate(64, 'probe')).toBe(before);
    engine.memory.free(before);
  });
});

function around(leaves: number): number[] {
  return [1024 * leaves, 1024 * leaves + 1, 1024 * leaves + 1000];
}

describe('find_lowest', () => {
  it('finds the first -128, wherever it is', () => {
    for (let at = 0; at < 256; at++) {
      const values = engine.memory.bytes(start, 256);
      values.fill(0x7f);
      expect(engine.kernels.find_lowest(start, 256)).toBe(256);
      values[at] = 0x80;
      values[255] = 0x80;
      expect(engine.kernels.find_lowest(start, 256)).toBe(at);
    }
  });
});
