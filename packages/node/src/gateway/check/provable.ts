import type { PartialBundle } from '@commonweight/protocol';

/** What a node has signed of an answer that broke off. */
export interface Provable {
  readonly partial: PartialBundle;
  /** Tokens that came after the last checkpoint: nobody signed them. */
  readonly unproven: number;
}
