import { CommonweightError } from '@commonweight/protocol';
import { limits } from '../../limits.ts';
import type { RealMatrix } from '../real-matrix.ts';
import type { Rotation } from './rotation.ts';

/** W diag(g): what followed a norm with weights g follows one without. */
export function withNorm(matrix: RealMatrix, norm: Float64Array): RealMatrix {
  return mapped(matrix, (row) => {
    for (let k = 0; k < row.length; k++) row[k]! *= norm[k]!;
  });
}

/** W Q: a matrix that reads x reads x Q instead. */
export const rotatedInput = (matrix: RealMatrix, rotation: Rotation): RealMatrix => mapped(matrix, (row) => rotation.apply(row, 1));

/** W with each head's columns times the head's rotation; `rotations` has one a head. */
export function rotatedHeads(matrix: RealMatrix, rotations: readonly Rotation[]): RealMatrix {
  return mapped(matrix, (row) => {
    for (const [h, rotation] of rotations.entries()) rotation.apply(row.subarray(h * rotation.order, (h + 1) * rotation.order), 1);
  });
}

/** Q^T W on each run of `rotation.order` rows, a run (a head, or all rows) in memory at a time. `rotations` has one a run. */
export function rotatedOutput(matrix: RealMatrix, rotations: readonly Rotation[]): RealMatrix {
  const { columns } = matrix;
  const order = rotations[0]!.order;
  if (order * columns > limits.rotatedElements) {
    throw new CommonweightError(
      `tensor ${matrix.name}: expected at most ${limits.rotatedElements} elements that are rotated at once, got ${order * columns}; import with the default profile`,
      { code: 'model_unsupported', field: matrix.name },
    );
  }
  let run = -1;
  let values: Float64Array | undefined;
  return {
    ...matrix,
    read: (index, row) => {
      const wanted = Math.floor(index / order);
      if (wanted !== run) {
        values ??= new Float64Array(order * columns);
        for (let n = 0; n < order; n++) matrix.read(wanted * order + n, values.subarray(n * columns, (n + 1) * columns));
        rotations[wanted]!.apply(values, columns);
        run = wanted;
      }
      const at = (index - run * order) * columns;
      row.set(values!.subarray(at, at + columns));
    },
  };
}

/** A norm without weights. */
export const ones = (norm: RealMatrix): RealMatrix => ({ ...norm, read: (_, row) => void row.fill(1) });

function mapped(matrix: RealMatrix, change: (row: Float64Array) => void): RealMatrix {
  return {
    ...matrix,
    read: (index, row) => {
      matrix.read(index, row);
      change(row);
    },
  };
}
