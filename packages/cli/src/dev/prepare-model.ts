import type { Hex32, ModelId } from '@commonweight/protocol';

export interface PreparedModel {
  readonly id: ModelId;
  readonly name: string;
  readonly dir: string;
  /** Root of weights.bin. */
  readonly weightsRoot: Hex32;
  /** SHA-256 of the canonical card. */
  readonly cardDigest: Hex32;
}
