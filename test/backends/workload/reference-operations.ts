import * as reference from '@commonweight/engine/testing/operations';
import type { Operations } from './operations.ts';

export const referenceOperations: Operations = {
  exp2n: reference.exp2n,
  isqrt: reference.isqrt,
  sdiv: reference.sdiv,
  quantise: reference.quantiseWide,
  rmsNorm: (x, weights, exponent, epsilon, bits) => reference.rmsNormQuantise(x, { weights, exponent }, epsilon, bits),
  matmul: ({ matrix, vectors, scales, fractionBits }) =>
    vectors.map((vector, t) =>
      Int32Array.from(reference.matmul(matrix, vector), (sum, n) =>
        reference.requantise(sum, matrix.multipliers[n]!, matrix.exponent, scales[t]!, fractionBits),
      ),
    ),
  embed: ({ weights, columns, blockMultipliers, multipliers, exponent }, id) => {
    const blocks = Math.ceil(columns / 64);
    const row = weights.subarray(id * columns, (id + 1) * columns);
    return reference.embed(row, blockMultipliers.subarray(id * blocks, (id + 1) * blocks), multipliers[id]!, exponent);
  },
  qkNorm: (head, weights, exponent, epsilon) => reference.qkNorm(head, { weights, exponent }, epsilon),
  rope: reference.rope,
  attend: ({ q, table, entries, constant }) => {
    const cache = reference.newKeyValueHead(entries.length, q.length);
    for (const [position, { key, value }] of entries.entries()) {
      reference.storeKeyValue(cache, position, reference.rope(key, table), value);
    }
    return BigInt64Array.from(Array.from(reference.attend(q, cache, entries.length, constant), BigInt));
  },
  swiglu: reference.swiglu,
  residualAdd: (x, y) => {
    const sum = x.slice();
    reference.addSaturating(sum, y);
    return sum;
  },
};
