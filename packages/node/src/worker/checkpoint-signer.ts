import { type Domain, type Frame, type Hex32, type Signature, StreamHead, checkpointDigest, isCheckpointDue } from '@commonweight/protocol';
import { nativeSha256 } from '../platform/sha256.ts';

/**
 * Signs what one run has streamed so far, after the first token and then at a fixed distance. Nothing of it is journalled: tokens are a
 * function of the request, so a node that does the same run again signs the same heads.
 */
export class CheckpointSigner {
  readonly #requestHash: Hex32;
  readonly #domain: Domain;
  readonly #sign: (digest: Hex32) => Signature;
  readonly #chain: StreamHead;

  constructor(options: { requestHash: Hex32; nonce: Hex32; domain: Domain; sign: (digest: Hex32) => Signature }) {
    this.#requestHash = options.requestHash;
    this.#domain = options.domain;
    this.#sign = options.sign;
    this.#chain = new StreamHead(options.requestHash, options.nonce, nativeSha256);
  }

  /** Takes the next token of the answer. Returns the frame that follows it when one is due. */
  token(id: number): Extract<Frame, { type: 'checkpoint' }> | undefined {
    this.#chain.append(id);
    const { count: completionTokens, head } = this.#chain;
    if (!isCheckpointDue(completionTokens)) return undefined;
    const digest = checkpointDigest({ requestHash: this.#requestHash, completionTokens, head }, this.#domain);
    return { type: 'checkpoint', completionTokens, head, signature: this.#sign(digest) };
  }
}
