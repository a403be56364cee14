import { concatBytes, utf8 } from '@commonweight/protocol';
import { u64 } from './write-gguf.ts';

export interface SafetensorsEntry {
  readonly name: string;
  readonly type: string;
  /** Slowest first. */
  readonly shape: readonly number[];
  readonly data: Uint8Array;
}

/** A file from a header that need not be true, and `data`: for hostile files as well. */
export const safetensorsBytes = (header: string | Uint8Array, data: Uint8Array = new Uint8Array(0)): Uint8Array => {
  const bytes = typeof header === 'string' ? utf8(header) : header;
  return concatBytes(u64(bytes.length), bytes, data);
};

/** A complete safetensors file; the header is filled up with spaces to a multiple of 8, as the reference writer does. */
export function writeSafetensors(tensors: readonly SafetensorsEntry[]): Uint8Array {
  const entries: [string, object][] = [['__metadata__', { format: 'pt' }]];
  let end = 0;
  for (const { name, type, shape, data } of tensors) {
    entries.push([name, { dtype: type, shape, data_offsets: [end, end + data.length] }]);
    end += data.length;
  }
  const header = JSON.stringify(Object.fromEntries(entries));
  return safetensorsBytes(header.padEnd(Math.ceil(header.length / 8) * 8), concatBytes(...tensors.map(({ data }) => data)));
}
