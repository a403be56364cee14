import type { Manifest } from '@commonweight/protocol';

/** Where an executor reads `weights.bin` from. Digests are checked by whoever provides it, over the bytes that were handed out. */
export interface WeightsSource {
  /** Fills `target` with the bytes at `offset`. */
  readonly read: (offset: number, target: Uint8Array) => void;
}

/** KV cache of one running text. `length` positions are filled. */
export interface Sequence {
  readonly capacity: number;
  readonly length: number;
  /** Fills an empty sequence with the first `positions` of another one of the same executor, as if their ids had been run (a prefix cache). */
  readonly copyFrom: (source: Sequence, positions: number) => void;
  /** Gives the memory back; using the sequence afterwards throws. */
  readonly release: () => void;
}

export interface ForwardObserver {
  /**
   * Called once per (position, commit point), in order of positions within a chunk; `residual` is the int32 residual stream after that layer (a view, valid during the call).
   * `point` is the index into the manifest's `commitPoints`; `digest` gives the digest of `residual` where the back end computes it faster than others can, and during the call too.
   */
  readonly onResidual?: (position: number, point: number, residual: Int32Array, digest?: () => Uint8Array) => void;
  /** Called in order of positions for every position >= `logitsFrom`; `logits` are int32 Q16, one per id (a view, valid during the call). */
  readonly onLogits?: (position: number, logits: Int32Array) => void;
  /** First absolute position whose logits are wanted; none by default. */
  readonly logitsFrom?: number;
}

/** An executor that can say which weights it computes from. */
export interface WeightsExecutor extends Executor {
  /** Merkle root (SPEC section 20) over `weights.bin` as it lies in the memory that the executor reads: 32 bytes. */
  readonly weightsRoot: () => Uint8Array;
}

/** What one sequence does in a step that it shares with others. */
export interface BatchPart {
  readonly sequence: Sequence;
  readonly ids: readonly number[];
  readonly observer?: ForwardObserver;
}

/** The one interface of every back end. Same inputs, same bits, for any back end and any chunking (SPEC section 15). */
export interface Executor {
  readonly backend: string;
  readonly manifest: Manifest;
  /** Memory for at most `capacity` positions (<= graph.context). Throws a CommonweightError when it cannot be had. */
  readonly newSequence: (capacity: number) => Sequence;
  /** Runs `ids` at positions `sequence.length ...`, fills the cache. Any number of ids; the back end chunks as it likes. */
  readonly forward: (sequence: Sequence, ids: readonly number[], observer?: ForwardObserver) => void;
  /**
   * The same for several sequences, each at most once: the weights are read once for all of them. Every part gets the bits that it would get alone.
   * Nothing is run when one part is refused.
   */
  readonly forwardBatch: (parts: readonly BatchPart[]) => void;
  /** Ends its threads, if it has any; using it afterwards throws. */
  readonly close: () => void;
}
