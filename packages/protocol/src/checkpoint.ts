import { type Address, type Hex32, concatBytes, fromHex, toHex, uintBE, utf8 } from './bytes.ts';
import { type Domain, typedDigest, word } from './eip712.ts';
import { limits } from './limits.ts';
import { Fields } from './read.ts';
import { type Sha256, sha256 as defaultSha256 } from './sha256.ts';
import { type Signature, recoverSigner } from './signature.ts';

/**
 * What a node signs while it streams: the first `completionTokens` tokens of its answer to one request. A stream that dies still has
 * this provable prefix (SPEC section 28).
 */
export interface Checkpoint {
  readonly requestHash: Hex32;
  readonly completionTokens: number;
  /** {@link StreamHead} over exactly these tokens. */
  readonly head: Hex32;
}

export interface SignedCheckpoint {
  readonly checkpoint: Checkpoint;
  /** The node's session key's signature over {@link checkpointDigest}. */
  readonly signature: Signature;
}

/** Whether a checkpoint follows token number `completionTokens`, counted from 1. */
export const isCheckpointDue = (completionTokens: number): boolean =>
  completionTokens === 1 || (completionTokens > 0 && completionTokens % limits.checkpointTokens === 0);

/** Running hash chain over the ids of an answer. The nonce goes in first: a head that became public cannot be searched by dictionary. */
export class StreamHead {
  readonly #sha256: Sha256;
  #head: Uint8Array;
  #count = 0;

  constructor(requestHash: Hex32, nonce: Hex32, sha256: Sha256 = defaultSha256) {
    this.#sha256 = sha256;
    this.#head = sha256(concatBytes(utf8('commonweight/stream/1'), fromHex(requestHash, 32), fromHex(nonce, 32)));
  }

  /** Tokens so far. */
  get count(): number {
    return this.#count;
  }

  get head(): Hex32 {
    return toHex(this.#head) as Hex32;
  }

  append(id: number): void {
    this.#head = this.#sha256(concatBytes(this.#head, uintBE(id, 4)));
    this.#count++;
  }
}

/** Head of the chain over these ids. */
export function streamHead(requestHash: Hex32, nonce: Hex32, ids: Iterable<number>): Hex32 {
  const chain = new StreamHead(requestHash, nonce);
  for (const id of ids) chain.append(id);
  return chain.head;
}

export const checkpointDigest = (checkpoint: Checkpoint, domain: Domain): Hex32 =>
  typedDigest(domain, 'Checkpoint(bytes32 requestHash,uint32 completionTokens,bytes32 head)', [
    word.bytes32(checkpoint.requestHash),
    word.uint(checkpoint.completionTokens),
    word.bytes32(checkpoint.head),
  ]);

export function parseCheckpoint(value: unknown, path = 'checkpoint'): Checkpoint {
  const f = new Fields(value, path, ['requestHash', 'completionTokens', 'head']);
  return {
    requestHash: f.hex32('requestHash'),
    completionTokens: f.integer('completionTokens', 1, limits.positions),
    head: f.hex32('head'),
  };
}

/** In the order in which they are looked for. */
export type CheckpointFault = 'signature' | 'request_hash' | 'not_due' | 'count' | 'head';

/**
 * What is wrong with a checkpoint, or undefined.
 *
 * @param expected - what the receiver computed from the request and the tokens that it got
 */
export function checkpointFault(
  { checkpoint, signature }: SignedCheckpoint,
  expected: Checkpoint,
  domain: Domain,
  sessionKey: Address,
): CheckpointFault | undefined {
  if (recoverSigner(checkpointDigest(checkpoint, domain), signature) !== sessionKey) return 'signature';
  if (checkpoint.requestHash !== expected.requestHash) return 'request_hash';
  if (!isCheckpointDue(checkpoint.completionTokens)) return 'not_due';
  if (checkpoint.completionTokens !== expected.completionTokens) return 'count';
  return checkpoint.head === expected.head ? undefined : 'head';
}
