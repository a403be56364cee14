/** Instruction sets that the addon has kernels for: `vnni` is AVX-512 with VNNI, `plain` what every processor of the architecture has. */
export type NativeLevel = 'vnni' | 'avx2' | 'plain';

/** A model in the addon's hands; it keeps its weights alive. */
export interface NativeModel {
  readonly __nativeModel: never;
}

/** A helper, from 1 on, of a model: it runs alone what it is named for. */
export type NativeHelper = [of: NativeModel, helper: number];

/** What kernels/native/addon.c exports. It checks every argument and throws TypeErrors; `NATIVE_ABI` counts changes of this interface. */
export interface NativeAddon {
  readonly abi: number;
  /** SHA-256 of the C files that it was built from, hex. */
  readonly sources: string;
  /** The levels that this processor can run, strongest first. */
  readonly levels: readonly NativeLevel[];
  /** Asks for large pages for weights that are about to be read into `buffer`. @returns bytes to leave out at its beginning so that what follows stands at a multiple of 64. */
  readonly prepare: (buffer: ArrayBuffer) => number;
  /** Its `threads - 1` helpers run until `close`. @returns undefined when there is no memory for the workspace or no thread to be had. */
  readonly createModel: (
    level: NativeLevel,
    weights: ArrayBuffer,
    start: number,
    words: BigInt64Array,
    threads: number,
  ) => NativeModel | undefined;
  /** Runs rows of four words each: id, index into `caches`, capacity, position; `committed` gets `[rows][commit points][width]`. @returns false when a thread was lost, after which its helpers have ended. */
  readonly forward: (
    model: NativeModel,
    rows: Int32Array,
    caches: readonly ArrayBuffer[],
    committed: Int32Array,
    ...by: [] | NativeHelper
  ) => boolean;
  /** Logits of these rows of the last step: `[wanted][padded vocabulary]`. @returns false when a thread was lost. */
  readonly logits: (model: NativeModel, wanted: Int32Array, logits: Int32Array, ...by: [] | NativeHelper) => boolean;
  /** Digests (32 bytes each) of the first `count` vectors of `width` values; missing where the processor has no instructions for SHA-256. */
  readonly residualDigests?: (values: Int32Array, width: number, count: number, digests: Uint8Array) => void;
  /** Ends the helpers of a model. */
  readonly close: (model: NativeModel) => void;
  /** One operation of engine.wasm, by the name of its export, on an image of its memory; for tests. */
  readonly operation: (level: NativeLevel, name: string, memory: ArrayBuffer, args: BigInt64Array) => bigint;
}

export const NATIVE_ABI = 5;
