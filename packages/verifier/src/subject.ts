import type { Executor } from '@commonweight/engine';
import {
  type Address,
  type Bundle,
  type Hex32,
  type Manifest,
  type Sha256,
  type TokenText,
  receiptDigest,
  recoverSigner,
  requestHashOf,
} from '@commonweight/protocol';
import type { ChainFacts } from './chain-facts.ts';

/** The weights that the verifier holds, checked against the manifest's roots by whoever loaded them. */
export interface VerifierModel {
  readonly manifest: Manifest;
  readonly executor: Executor;
  /** Text of token ids, as the gateway decodes them. */
  readonly decode?: (ids: readonly number[]) => string;
  /** What one token shows of itself, as the gateway shows it. */
  readonly tokenText?: (id: number) => TokenText;
}

export interface VerifyInput {
  readonly bundle: Bundle;
  /** The text that the client was shown. */
  readonly answerText?: string;
  /** The log probabilities that the client was shown: `content` of OpenAI's `logprobs`, untrusted. */
  readonly answerLogprobs?: readonly unknown[];
  /** Without it nothing can be re-executed, and the verdict is at best `unchecked`. */
  readonly model?: VerifierModel;
  readonly chain?: ChainFacts;
  /** Called between chunks of the re-execution. */
  readonly onProgress?: (donePositions: number, totalPositions: number) => void;
  /** Asked between chunks; true ends the re-execution, and the verdict is at best `unchecked`. */
  readonly shouldStop?: () => boolean;
  /** A faster SHA-256 for the residual digests. */
  readonly sha256?: Sha256;
}

/** The input with what several steps need. */
export interface Subject extends VerifyInput {
  readonly requestHash: Hex32;
  readonly receiptId: Hex32;
  readonly signer: Address | undefined;
}

export function subjectOf(input: VerifyInput): Subject {
  const { bundle } = input;
  const receiptId = receiptDigest(bundle.receipt, bundle.domain);
  return { ...input, requestHash: requestHashOf(bundle.request), receiptId, signer: recoverSigner(receiptId, bundle.signature) };
}
