import { describe, expect, it } from 'vitest';
import { hadamardFactors, timesHadamard } from './hadamard.ts';
import { rotationOf } from './rotation.ts';

/** v H for every unit vector v: the rows of H. */
function rowsOf(order: number): Float64Array[] {
  const factors = hadamardFactors(order)!;
  return Array.from({ length: order }, (_, i) => {
    const row = new Float64Array(order);
    row[i] = 1;
    timesHadamard(factors, row, 1);
    return row;
  });
}

const dot = (a: Float64Array, b: Float64Array): number => a.reduce((sum, value, i) => sum + value * b[i]!, 0);

describe('Hadamard matrices', () => {
  it.each([1, 2, 4, 64, 12, 20, 28, 44, 68, 76, 24, 144, 240, 336, 576])(
    'of order %i: entries of 1 and -1, rows at right angles',
    (order) => {
      const rows = rowsOf(order);
      for (const [i, row] of rows.entries()) {
        expect(row.every((value) => value === 1 || value === -1)).toBe(true);
        for (let j = 0; j <= i; j++) if (dot(row, rows[j]!) !== (i === j ? order : 0)) expect.fail(`rows ${i} and ${j}`);
      }
    },
  );

  it.each([768, 896, 960, 1024, 1152, 1280, 1536, 1600, 2048, 2304, 2560, 3072, 3584, 4096, 5120, 8192])(
    'exist for %i, a width of real models',
    (order) => expect(hadamardFactors(order)?.reduce((product, factor) => product * factor.order, 1)).toBe(order),
  );

  it.each([3, 6, 9, 18, 52, 72, 80 * 13])('%i: none is known here', (order) => expect(hadamardFactors(order)).toBeUndefined());

  it.each([4 * 263, 4 * 271, 4 * 5003])('%i: exists, and its one large factor is beyond the limit', (order) =>
    expect(hadamardFactors(order)).toBeUndefined(),
  );
});

describe('rotations', () => {
  it('keep lengths and angles, and act on the columns of a matrix as on each of them', () => {
    const rotation = rotationOf(24, 'a test', 'width');
    const vectors = [1, 2, 3].map((k) => Float64Array.from({ length: 24 }, (_, i) => Math.fround(Math.sin(k * i + k))));
    const turned = vectors.map((vector) => {
      const copy = vector.slice();
      rotation.apply(copy, 1);
      return copy;
    });
    for (const [i, a] of vectors.entries())
      for (const [j, b] of vectors.entries()) expect(dot(turned[i]!, turned[j]!)).toBeCloseTo(dot(a, b), 12);
    expect(turned[0]).not.toEqual(vectors[0]);

    const matrix = Float64Array.from({ length: 72 }, (_, at) => vectors[at % 3]![Math.floor(at / 3)]!);
    rotation.apply(matrix, 3);
    expect([...matrix]).toEqual(Array.from({ length: 72 }, (_, at) => turned[at % 3]![Math.floor(at / 3)]!));
  });

  it('differ by their label, never from run to run', () => {
    const first = (label: string): Float64Array => {
      const x = new Float64Array(64).map((_, i) => i + 1);
      rotationOf(64, label, 'width').apply(x, 1);
      return x;
    };
    expect(first('values 0 0')).toEqual(first('values 0 0'));
    expect(first('values 0 1')).not.toEqual(first('values 0 0'));
    // Follows from SHA-256("commonweight/rotation/1 values 0 0 0"): the same on every machine.
    expect(first('values 0 0').slice(0, 4)).toEqual(Float64Array.of(-10.25, -26.25, -5.25, -25.25));
  });

  it('an order without a matrix is refused with the field and what to do', () => {
    expect(() => rotationOf(52, 'residual', 'graph.width')).toThrow(/graph\.width: expected .* got 52; import with the default profile/);
  });
});
