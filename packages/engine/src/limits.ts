/** Every bound of the engine in one place; SPEC section 16 proves that nothing overflows within them. */
export const limits = {
  /** Columns that are summed in int32 before they are added in wider integers: 127 * 8191 * 2048 < 2^31. */
  matmulBlock: 2048,
  /** Largest multiplier of a matrix row. */
  rowMultiplier: 1 << 22,
  /** Largest magnitude of an RMSNorm weight. */
  normWeight: 1 << 21,
  /** Largest magnitude of a tensor's exponent. */
  exponent: 64,
} as const;
