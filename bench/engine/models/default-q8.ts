import { closeSync, fstatSync, openSync } from 'node:fs';
import { type ByteSource, dequantiserOf, fileSource, type Gguf, graphFromGguf, parseGguf, rowBytes } from '@commonweight/models';
import { type FloatTensor, writeQ8Gguf } from '@commonweight/models/testing';
import { llamaMetadata } from './llama-metadata.ts';

/** Writes the weights of a GGUF of the Llama family again as Q8_0: what llama.cpp runs beside the package that was imported from the same file. */
export async function writeDefaultQ8(
  from: string,
  to: string,
  onBytes: (done: number, total: number) => void,
  signal: AbortSignal,
): Promise<void> {
  const descriptor = openSync(from, 'r');
  try {
    const source = fileSource(descriptor, fstatSync(descriptor).size);
    const gguf = parseGguf(source);
    await writeQ8Gguf(to, metadataOf(gguf, source), tensorsOf(gguf, source), onBytes, signal);
  } finally {
    closeSync(descriptor);
  }
}

function metadataOf(gguf: Gguf, source: ByteSource) {
  const { graph, rope } = graphFromGguf(gguf, source);
  const value = <T>(key: string): T => gguf.metadata.get(key) as T;
  const shape = { ...graph, ropeBase: rope.base, tiedHead: graph.head === 'tied' };
  return llamaMetadata(value('general.name'), shape, value('llama.attention.layer_norm_rms_epsilon'), {
    pre: value('tokenizer.ggml.pre'),
    tokens: value('tokenizer.ggml.tokens'),
    types: value('tokenizer.ggml.token_type'),
    merges: value('tokenizer.ggml.merges'),
    eosId: value('tokenizer.ggml.eos_token_id'),
    template: value('tokenizer.chat_template'),
  });
}

function tensorsOf(gguf: Gguf, source: ByteSource): FloatTensor[] {
  return [...gguf.tensors.values()].map(({ name, type, shape, offset }) => {
    const [columns, rows = 1] = shape as [number, number?];
    const bytes = new Uint8Array(rowBytes(type, columns));
    let at = offset;
    const next = (row: Float64Array): void => {
      source.read(at, bytes);
      dequantiserOf(type)(bytes, 0, row, columns);
      at += bytes.length;
    };
    return { name, rows, columns, next };
  });
}
