import type { Executor, TokenVocabulary } from '@commonweight/engine';
import {
  type Address,
  type AskedPart,
  type Bundle,
  type Hex32,
  type Manifest,
  type ModelId,
  type PartialBundle,
  type Sha256,
  type TokenText,
  checkpointDigest,
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
  /** The bytes of the model's tokens; needed for an answer under a grammar. */
  readonly vocabulary?: () => TokenVocabulary;
  /** What one token shows of itself, as the gateway shows it. */
  readonly tokenText?: (id: number) => TokenText;
}

/** What a verification needs beside the bundle. */
export interface VerifyOptions {
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

export interface VerifyInput extends VerifyOptions {
  readonly bundle: Bundle;
}

export interface VerifyPartialInput extends VerifyOptions {
  /** What was signed of an answer that broke off. */
  readonly partial: PartialBundle;
}

/** The input with what several steps need, however the answer ended. */
export interface AskedSubject extends VerifyOptions {
  readonly bundle: AskedPart;
  readonly requestHash: Hex32;
  /** Who signed for the node. */
  readonly signer: Address | undefined;
  /** Node and model that the signed statement is about. */
  readonly node: Address;
  readonly modelId: ModelId;
}

export interface Subject extends AskedSubject {
  readonly bundle: Bundle;
  readonly receiptId: Hex32;
}

export interface PartialSubject extends AskedSubject {
  readonly bundle: PartialBundle;
}

export function subjectOf(input: VerifyInput): Subject {
  const { bundle } = input;
  const { receipt, domain, signature } = bundle;
  const { node, modelId } = receipt;
  const receiptId = receiptDigest(receipt, domain);
  return { ...input, requestHash: requestHashOf(bundle.request), receiptId, node, modelId, signer: recoverSigner(receiptId, signature) };
}

/** A checkpoint names its request alone: node and model are the request's. */
export function partialSubjectOf({ partial, ...options }: VerifyPartialInput): PartialSubject {
  const { request, checkpoint, domain, signature } = partial;
  const { node, modelId } = request;
  const signer = recoverSigner(checkpointDigest(checkpoint, domain), signature);
  return { ...options, bundle: partial, requestHash: requestHashOf(request), node, modelId, signer };
}
