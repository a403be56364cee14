import { openSync, fstatSync } from 'node:fs';
import { type ByteSource, dequantiserOf, fileSource, ggufArchitectures, graphFromGguf, parseGguf, rowBytes } from '@commonweight/models';
import { FloatModel } from './float-model.ts';

/** The float model of a GGUF file of an architecture that can be imported. */
export function loadFloat(path: string): FloatModel {
  const descriptor = openSync(path, 'r');
  return floatModelOf(fileSource(descriptor, fstatSync(descriptor).size));
}

/** {@link loadFloat} from bytes. */
export function floatModelOf(source: ByteSource): FloatModel {
  const gguf = parseGguf(source);
  const { graph, rope, epsilon } = graphFromGguf(gguf, source);
  const { qkNorm, ...shape } = graph;
  const { ggufPairs: pairs } = ggufArchitectures.get(gguf.metadata.get('general.architecture') as string)!;
  return new FloatModel({ ...shape, qkNorm: qkNorm !== null, pairs, rope, epsilon }, (name) => {
    const tensor = gguf.tensors.get(name);
    if (!tensor) throw new Error(`GGUF: expected the tensor ${name}`);
    const columns = tensor.shape[0]!;
    const rows = tensor.shape[1] ?? 1;
    const bytes = new Uint8Array(rowBytes(tensor.type, columns));
    const row = new Float64Array(columns);
    const values = new Float32Array(rows * columns);
    for (let r = 0; r < rows; r++) {
      source.read(tensor.offset + r * bytes.length, bytes);
      dequantiserOf(tensor.type)(bytes, 0, row, columns);
      values.set(row, r * columns);
    }
    return values;
  });
}
