import { pow2 } from '../float-bits.ts';

let values: Float64Array | undefined;

/** The 65,536 float16 values as float64. Infinities and NaN are kept; the converter refuses them. */
export function halfTable(): Float64Array {
  if (values) return values;
  values = new Float64Array(1 << 16);
  for (let bits = 0; bits < 1 << 16; bits++) {
    const exponent = (bits >> 10) & 31;
    const fraction = bits & 1023;
    let value: number;
    if (exponent === 31) value = fraction === 0 ? Infinity : NaN;
    else if (exponent === 0) value = fraction * pow2(-24);
    else value = (1024 + fraction) * pow2(exponent - 25);
    values[bits] = bits & 0x8000 ? -value : value;
  }
  return values;
}

export const u16 = (bytes: Uint8Array, at: number): number => bytes[at]! | (bytes[at + 1]! << 8);
