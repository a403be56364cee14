/** Bits that one counting pass decides. */
const DIGIT_BITS = 11;

/**
 * The smallest delta D among the first `count` such that the ids with delta <= D weigh `need` or more together; 2^32 - 1 if all of them weigh less.
 * A radix selection: a few counting passes, no sorting. Sums stay below 2^53 (2^20 ids of 2^24).
 * @param weights - one integer an id, or undefined to count ids
 * @param largest - no delta is larger
 */
export function selectDelta(
  deltas: Uint32Array,
  weights: Int32Array | undefined,
  count: number,
  need: number,
  largest = 0xffff_ffff,
): number {
  let prefix = 0;
  let below = 0;
  let left = Math.max(1, 32 - Math.clz32(largest));
  while (left > 0) {
    const bits = Math.min(DIGIT_BITS, left);
    left -= bits;
    const size = 1 << bits;
    const width = size * 2 ** left;
    const sums = new Float64Array(size);
    for (let i = 0; i < count; i++) {
      const offset = deltas[i]! - prefix;
      if (offset >= 0 && offset < width) sums[offset >>> left]! += weights ? weights[i]! : 1;
    }
    let digit = 0;
    while (digit < size && below + sums[digit]! < need) below += sums[digit++]!;
    if (digit === size) return 0xffff_ffff;
    prefix += digit * 2 ** left;
  }
  return prefix;
}
