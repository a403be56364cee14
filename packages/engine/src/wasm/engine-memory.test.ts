import { CommonweightError } from '@commonweight/protocol';
import { describe, expect, it } from 'vitest';
import { EngineMemory } from './engine-memory.ts';

function memoryFrom(heapBase: number): EngineMemory {
  const memory = new EngineMemory();
  memory.start(heapBase);
  return memory;
}

describe('engine memory', () => {
  it('gives disjoint aligned regions above the heap base and grows for them', () => {
    const memory = memoryFrom(70_001);
    const at = [1, 64, 65, 300_000].map((size) => memory.allocate(size, 'x'));
    expect(at[0]).toBeGreaterThanOrEqual(70_001);
    expect(at.every((address) => address % 64 === 0)).toBe(true);
    expect(at.slice(1).map((address, i) => address - at[i]!)).toEqual([64, 64, 128]);
    expect(memory.wasm.buffer.byteLength).toBeGreaterThanOrEqual(at[3]! + 300_000);
  });

  it('merges neighbours that were given back, in any order, and gives them out as zeros', () => {
    const memory = memoryFrom(0);
    const [a, b, c] = [memory.allocate(100, 'a'), memory.allocate(100, 'b'), memory.allocate(100, 'c')];
    memory.allocate(64, 'end');
    memory.bytes(a, 384).fill(9);
    for (const region of [a, c, b]) memory.free(region);
    expect(memory.allocate(384, 'all three')).toBe(a);
    expect(memory.bytes(a, 384).every((byte) => byte === 0)).toBe(true);
  });

  it('splits a gap that is larger than what is asked for', () => {
    const memory = memoryFrom(0);
    const gap = memory.allocate(1000, 'gap');
    memory.allocate(1, 'end');
    memory.free(gap);
    expect([memory.allocate(64, 'x'), memory.allocate(64, 'y')]).toEqual([gap, gap + 64]);
  });

  it('refuses to free twice and to address more than 4 GiB, naming what was asked for', () => {
    const memory = memoryFrom(0);
    const a = memory.allocate(10, 'a');
    memory.free(a);
    expect(() => memory.free(a)).toThrow(CommonweightError);
    expect(() => memory.allocate(2 ** 32, 'the cache')).toThrow(/the cache needs 4294967296 bytes.*4 GiB/);
  });
});
