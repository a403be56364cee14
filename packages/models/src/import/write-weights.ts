import type { Tensor } from '@commonweight/protocol';
import { convertBias, convertMatrix, convertNorm } from './matrix.ts';
import type { Plan } from './plan.ts';
import { ropeTable } from './rope-table.ts';
import type { WeightsWriter } from './weights-writer.ts';

/** int32 little-endian, on any machine. */
function int32Bytes(values: Int32Array): Uint8Array {
  const bytes = new Uint8Array(4 * values.length);
  const view = new DataView(bytes.buffer);
  for (const [i, value] of values.entries()) view.setInt32(4 * i, value, true);
  return bytes;
}

/** Converts every planned tensor and appends it; returns the tensors with their exponents. Memory: a few MB, 64 bytes a row, 32 bytes a KB written. */
export async function writeWeights(
  plan: Plan,
  ropeFrequencies: readonly bigint[],
  writer: WeightsWriter,
  onBytes: (done: number) => void,
  signal?: AbortSignal,
): Promise<Tensor[]> {
  const emit = async (bytes: Uint8Array): Promise<void> => {
    signal?.throwIfAborted();
    await writer.append(bytes);
    onBytes(writer.size);
  };
  const tensors: Tensor[] = [];
  for (const { tensor, from } of plan.tensors) {
    if (tensor.kind === 'rope') {
      await emit(ropeTable(ropeFrequencies, tensor.positions));
      tensors.push(tensor);
    } else if (tensor.kind === 'bias') {
      await emit(int32Bytes(convertBias(from!())));
      tensors.push(tensor);
    } else if (tensor.kind === 'norm') {
      const { exponent, weights } = convertNorm(from!());
      await emit(int32Bytes(weights));
      tensors.push({ ...tensor, exponent });
    } else {
      const { exponent, blockMultipliers, multipliers } = await convertMatrix(from!(), emit);
      await emit(blockMultipliers);
      await emit(int32Bytes(multipliers));
      tensors.push({ ...tensor, exponent });
    }
  }
  return tensors;
}
