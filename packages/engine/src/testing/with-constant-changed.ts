/** Signed LEB128, as `i64.const` stores its operand. */
function leb128(value: bigint): number[] {
  const low = Number(value & 0x7fn);
  const rest = value >> 7n;
  const last = (rest === 0n && (low & 0x40) === 0) || (rest === -1n && (low & 0x40) !== 0);
  return last ? [low] : [low | 0x80, ...leb128(rest)];
}

const repeat = (bytes: readonly number[], times: number): number[] => Array.from({ length: times }, () => bytes).flat();

/** How code holds `value`: as `i64.const` or in the lanes of `v128.const`; and which bytes to change. */
function forms(value: bigint): { readonly pattern: readonly number[]; readonly changed: readonly number[] }[] {
  const [narrow, wide] = [[...new Uint8Array(Int32Array.of(Number(value)).buffer)], [...new Uint8Array(BigInt64Array.of(value).buffer)]];
  return [
    { pattern: [0x42, ...leb128(value)], changed: [3] },
    { pattern: repeat(wide, 2), changed: [2, 10] },
    { pattern: repeat(narrow, 4), changed: [2, 6, 10, 14] },
  ];
}

/** Flips one bit, worth 2^13 or more, of every constant `value` in the code: enough to change results beyond their rounding. */
export function withConstantChanged(bytes: Uint8Array, value: bigint): { readonly bytes: Uint8Array; readonly places: number } {
  const copy = bytes.slice();
  let places = 0;
  for (const { pattern, changed } of forms(value)) {
    for (let at = 0; at + pattern.length <= bytes.length; at++) {
      if (!pattern.every((byte, i) => bytes[at + i] === byte)) continue;
      for (const offset of changed) copy[at + offset]! ^= 1;
      places++;
    }
  }
  return { bytes: copy, places };
}
