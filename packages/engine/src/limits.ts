/** Every bound of the engine in one place; SPEC section 16 proves that nothing overflows within them. */
export const limits = {
  /** Columns of a row that share a block multiplier, and that are summed in int32 before they are added in wider integers: 127 * 8191 * 64 < 2^26. */
  blockColumns: 64,
  /** Columns of 8 rows that the WASM kernels widen at once: `PANEL` of kernels/matmul.h. */
  panelColumns: 1024,
  /** Largest multiplier of a block: two blocks times their multipliers add up in int32, 127 * 15 * 8191 * 128 < 2^31. */
  blockMultiplier: 15,
  /** Largest multiplier of a matrix row. */
  rowMultiplier: 1 << 22,
  /** Largest magnitude of an RMSNorm weight. */
  normWeight: 1 << 21,
  /** Largest magnitude of a tensor's exponent. */
  exponent: 64,
  /** Tokens of one pass over the weights in the WASM back end; a longer prompt is cut. */
  prefillChunk: 64,
  /** The same in the native back end; the addon takes at most 256. */
  nativeChunk: 64,
  /** Prompt positions of one step of a batch while other runs of it decode: a long prompt costs them some latency, never their turn. */
  prefillRowsBeside: 16,
  /** Runs that share a batch. */
  batchSlots: 32,
  /** Runs that wait for a place in a batch. */
  batchWaiting: 1024,
  /** Texts in a prefix cache, positions below which one is not worth keeping, and the largest part of the cache that one may take. */
  prefixEntries: 256,
  prefixMinimum: 16,
  prefixEntryShare: 0.5,
  /** Bytes of logits that a back end computes at once (at least one position's). */
  logitBytes: 1 << 24,
  /** Most threads of one executor. */
  threads: 64,
  /** Seconds after which a thread that does not come to a meeting point is given up: a step's phases take milliseconds. */
  threadPatienceSeconds: 10,
  /**
   * Places of a grammar that are looked at for one answer, at first and more with every token; ranges compared with a byte that count as one place;
   * frames and states (1 KiB each) that are kept, and frames of all states together; states whose allowed ids are kept.
   */
  grammarWork: 1 << 19,
  grammarWorkPerToken: 1 << 14,
  grammarRangesPerWork: 16,
  grammarFrames: 1 << 18,
  grammarStates: 1 << 15,
  grammarKeptFrames: 1 << 20,
  grammarMasks: 8,
  /** Leaves whose digests a WASM engine keeps at once while it hashes weights: 512 KB for 16 MB of them. */
  merklePiece: 1 << 14,
  /** Bytes that WASM can address, less a page. */
  wasmMemoryBytes: 2 ** 32 - 65_536,
} as const;
