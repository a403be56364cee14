const DIGITS = [
  { shift: 21, size: 2048 },
  { shift: 10, size: 2048 },
  { shift: 0, size: 1024 },
] as const;

/**
 * The smallest delta D among the first `count` such that the ids with delta <= D weigh `need` or more together; 2^32 - 1 if all of them weigh less.
 * A radix selection: three counting passes, no sorting. Sums stay below 2^53 (2^20 ids of 2^24).
 * @param weights - one integer an id, or undefined to count ids
 */
export function selectDelta(deltas: Uint32Array, weights: Int32Array | undefined, count: number, need: number): number {
  let prefix = 0;
  let below = 0;
  for (const { shift, size } of DIGITS) {
    const sums = new Float64Array(size);
    const width = size * (1 << shift);
    for (let i = 0; i < count; i++) {
      const offset = deltas[i]! - prefix;
      if (offset >= 0 && offset < width) sums[offset >>> shift]! += weights ? weights[i]! : 1;
    }
    let digit = 0;
    while (digit < size && below + sums[digit]! < need) below += sums[digit++]!;
    if (digit === size) return 0xffff_ffff;
    prefix += digit * (1 << shift);
  }
  return prefix;
}
