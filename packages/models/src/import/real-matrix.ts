import { CommonweightError } from '@commonweight/protocol';
import { dequantiserOf, rowBytes } from '../gguf/dequantise.ts';
import { limits } from '../limits.ts';
import type { StoredTensor } from './stored-tensor.ts';

/** A matrix of float64 values, read row by row, as often as needed; rows in order are the fast way. */
export interface RealMatrix {
  readonly name: string;
  readonly rows: number;
  readonly columns: number;
  /** Fills `row` (of length `columns`) with the values of row `index`. */
  readonly read: (index: number, row: Float64Array) => void;
}

/** A tensor of the input as real numbers: dequantised a few MB at a time; every value is checked to be finite. */
export function storedMatrix({ name, shape, type, offset, source }: StoredTensor): RealMatrix {
  const columns = shape[0]!;
  const rows = shape[1] ?? 1;
  const bytesPerRow = rowBytes(type, columns);
  const dequantise = dequantiserOf(type);
  const rowsPerSlab = Math.min(rows, Math.max(1, Math.floor(limits.slabBytes / bytesPerRow)));
  const slab = new Uint8Array(rowsPerSlab * bytesPerRow);
  let first = 0;
  let count = 0;
  return {
    name,
    rows,
    columns,
    read: (index, row) => {
      if (index < first || index >= first + count) {
        first = index;
        count = Math.min(rowsPerSlab, rows - index);
        source.read(offset + first * bytesPerRow, slab.subarray(0, count * bytesPerRow));
      }
      dequantise(slab, (index - first) * bytesPerRow, row, columns);
      for (const value of row) if (!(value - value === 0)) throw notFinite(name, index, value);
    },
  };
}

function notFinite(name: string, row: number, value: number): CommonweightError {
  const field = `${name} row ${row}`;
  return new CommonweightError(`tensor ${field}: expected finite numbers, got ${value}`, { code: 'tensor_number', field });
}
