import { type AskedPart, askedKeys, parseAsked } from './bundle.ts';
import { type Checkpoint, parseCheckpoint } from './checkpoint.ts';
import { Fields } from './read.ts';
import type { Signature } from './signature.ts';

export const PARTIAL_VERSION = 'commonweight/partial/1';

/**
 * What is provable of an answer that broke off before its receipt: the request, and the ids that the node's last checkpoint covers
 * (SPEC section 28). Nothing is billed by it, and it has no thin root.
 */
export interface PartialBundle extends AskedPart {
  readonly version: typeof PARTIAL_VERSION;
  readonly checkpoint: Checkpoint;
  /** The node's session key's signature over {@link checkpointDigest}. */
  readonly signature: Signature;
}

/** Reads an untrusted partial bundle: shape and bounds only; what it claims is checked by the verifier. */
export function parsePartialBundle(value: unknown, path = ''): PartialBundle {
  const f = new Fields(value, path, ['version', ...askedKeys, 'checkpoint', 'signature']);
  return {
    version: f.literal('version', [PARTIAL_VERSION]),
    ...parseAsked(f),
    checkpoint: parseCheckpoint(f.raw('checkpoint'), f.name('checkpoint')),
    signature: f.hex('signature', 65),
  };
}
