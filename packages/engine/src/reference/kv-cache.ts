import { quantise } from './quantise.ts';
import { powerOfTwo } from './rsh.ts';

/** Keys and values of one KV head of one layer: int8 and one u32 scale a position; value = integer * scale * 2^-23. */
export interface KeyValueHead {
  readonly keys: Int8Array;
  readonly keyScales: Uint32Array;
  readonly values: Int8Array;
  readonly valueScales: Uint32Array;
}

export const newKeyValueHead = (capacity: number, headDimension: number): KeyValueHead => ({
  keys: new Int8Array(capacity * headDimension),
  keyScales: new Uint32Array(capacity),
  values: new Int8Array(capacity * headDimension),
  valueScales: new Uint32Array(capacity),
});

/** The first `positions` of one head's cache into another one's. */
export function copyKeyValues(from: KeyValueHead, to: KeyValueHead, positions: number): void {
  const dimension = from.keys.length / from.keyScales.length;
  to.keys.set(from.keys.subarray(0, positions * dimension));
  to.values.set(from.values.subarray(0, positions * dimension));
  to.keyScales.set(from.keyScales.subarray(0, positions));
  to.valueScales.set(from.valueScales.subarray(0, positions));
}

/** A key after RoPE or a value, int32 Q16, as the cache keeps it: int8 and S = mantissa * 2^(exponent + 7) (SPEC section 8). */
export function cacheEntry(vector: Int32Array): { readonly q: Int16Array; readonly scale: number } {
  const { q, scale } = quantise(vector, 8);
  return { q, scale: scale.mantissa * powerOfTwo(scale.exponent + 7) };
}

export function storeKeyValue(head: KeyValueHead, position: number, key: Int32Array, value: Int32Array): void {
  const k = cacheEntry(key);
  head.keys.set(k.q, position * key.length);
  head.keyScales[position] = k.scale;
  const v = cacheEntry(value);
  head.values.set(v.q, position * value.length);
  head.valueScales[position] = v.scale;
}
