/** Instruction sets that the addon has kernels for: `vnni` is AVX-512 with VNNI, `plain` what every processor of the architecture has. */
export type NativeLevel = 'vnni' | 'avx2' | 'plain';

/** A model in the addon's hands; it keeps its weights alive. */
export interface NativeModel {
  readonly __nativeModel: never;
}

/** What kernels/native/addon.c exports. It checks every argument and throws TypeErrors; `NATIVE_ABI` counts changes of this interface. */
export interface NativeAddon {
  readonly abi: number;
  /** SHA-256 of the C files that it was built from, hex. */
  readonly sources: string;
  /** The levels that this processor can run, strongest first. */
  readonly levels: readonly NativeLevel[];
  /** Bytes to leave out at the beginning of `buffer` so that what follows stands at a multiple of 64. */
  readonly alignment: (buffer: ArrayBuffer) => number;
  /** @returns undefined when there is no memory for the workspace. */
  readonly createModel: (level: NativeLevel, weights: ArrayBuffer, start: number, words: BigInt64Array) => NativeModel | undefined;
  /** Runs rows of four words each: id, index into `caches`, capacity, position; `committed` gets `[rows][commit points][width]`. */
  readonly forward: (model: NativeModel, rows: Int32Array, caches: readonly ArrayBuffer[], committed: Int32Array) => void;
  /** Logits of these rows of the last step: `[wanted][padded vocabulary]`. */
  readonly logits: (model: NativeModel, wanted: Int32Array, logits: Int32Array) => void;
  /** One operation of engine.wasm, by the name of its export, on an image of its memory; for tests. */
  readonly operation: (level: NativeLevel, name: string, memory: ArrayBuffer, args: BigInt64Array) => bigint;
}

export const NATIVE_ABI = 2;
