import { openSync, fstatSync } from 'node:fs';
import { dequantiserOf, fileSource, graphFromGguf, parseGguf, rowBytes } from '@commonweight/models';
import { FloatModel } from './float-model.ts';

/** The float model of a GGUF file of the Llama family. */
export function loadFloat(path: string): FloatModel {
  const descriptor = openSync(path, 'r');
  const source = fileSource(descriptor, fstatSync(descriptor).size);
  const gguf = parseGguf(source);
  const { graph, ropeBase } = graphFromGguf(gguf);
  const normEpsilon = Number(gguf.metadata.get('llama.attention.layer_norm_rms_epsilon'));
  return new FloatModel({ ...graph, ropeBase, normEpsilon }, (name) => {
    const tensor = gguf.tensors.get(name);
    if (!tensor) throw new Error(`${path}: expected the tensor ${name}`);
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
