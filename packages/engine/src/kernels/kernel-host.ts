/** Memory of one sequence's KV cache, where the kernels reach it. */
export interface KernelCache {
  readonly bytes: () => Uint8Array;
  readonly release: () => void;
}

/** One token of a step: which cache it belongs to and where it stands in it (the struct `row` of kernels/model.h). */
export interface StepRow<C extends KernelCache> {
  readonly cache: C;
  readonly id: number;
  readonly capacity: number;
  readonly position: number;
}

/** A loaded model with the kernels that run it: `engine.wasm` or the native addon. Views are valid until the next call. */
export interface KernelHost<C extends KernelCache> {
  readonly backend: string;
  /** Most rows of one step. */
  readonly chunk: number;
  /** Most rows whose logits are computed at once. */
  readonly logitRows: number;
  /** See `WeightsExecutor`. */
  readonly weightsRoot: () => Uint8Array;
  /** Zeroed; throws a CommonweightError when there is no more memory. */
  readonly newCache: (bytes: number, what: string) => C;
  /** One pass over the weights. Rows of one sequence stand in the order of their positions. */
  readonly forward: (rows: readonly StepRow<C>[]) => void;
  /** The residual stream of a row of the last step at a commit point. */
  readonly residual: (row: number, point: number) => Int32Array;
  /** Its digest (SPEC section 23), where the back end hashes faster than JavaScript would. */
  readonly residualDigest?: (row: number, point: number) => Uint8Array;
  /** Computes logits of rows of the last step. */
  readonly logits: (rows: readonly number[]) => void;
  /** Logits of the i-th row of the last call of `logits`. */
  readonly logitsAt: (i: number) => Int32Array;
  /** Ends its threads. */
  readonly close: () => void;
}
