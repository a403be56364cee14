const Q8_BLOCK = 32;
const Q8_BYTES = 34;
const word = new DataView(new ArrayBuffer(4));

/** The float16 nearest to `value` (0 to 65,504), ties to even. */
export function halfBits(value: number): number {
  word.setFloat32(0, value);
  const bits = word.getUint32(0);
  if (bits < 113 << 23) {
    const units = value * 2 ** 24;
    const low = Math.floor(units);
    return units - low > 0.5 || (units - low === 0.5 && low % 2 === 1) ? low + 1 : low;
  }
  return (bits - (112 << 23) + 0xfff + ((bits >>> 13) & 1)) >>> 13;
}

/** Writes `values` (a multiple of 32) as Q8_0 blocks to `bytes[at...]`: scale max/127 in float16, then 32 int8, as ggml's own quantiser. */
export function quantiseQ8(values: Float64Array, bytes: Uint8Array, at: number): void {
  for (let block = 0; block < values.length; block += Q8_BLOCK, at += Q8_BYTES) {
    let largest = 0;
    for (let i = block; i < block + Q8_BLOCK; i++) largest = Math.max(largest, Math.abs(values[i]!));
    const scale = largest / 127;
    const half = halfBits(scale);
    bytes[at] = half & 255;
    bytes[at + 1] = half >> 8;
    const inverse = scale === 0 ? 0 : 1 / scale;
    for (let i = 0; i < Q8_BLOCK; i++) {
      const value = values[block + i]! * inverse;
      bytes[at + 2 + i] = value < 0 ? -Math.floor(0.5 - value) : Math.floor(value + 0.5);
    }
  }
}
