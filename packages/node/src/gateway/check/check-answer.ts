import {
  type Address,
  type CanonicalRequest,
  type Checkpoint,
  type Domain,
  type End,
  type Hex32,
  IdsCommitment,
  MerkleTag,
  type Receipt,
  type Signature,
  committedPositions,
  fromHex,
  isSignedBy,
  limits,
  merkleRoot,
  receiptDigest,
  requestHashOf,
  toHex,
} from '@commonweight/protocol';
import { type AnswerCheck, ReceiptInvalid } from './receipt-invalid.ts';

/** What the gateway asked for, and what it knows by itself. */
export interface Asked {
  readonly domain: Domain;
  /** The key that signs for the asked node, from the chain. */
  readonly sessionKey: Address;
  readonly request: CanonicalRequest;
  readonly promptIds: readonly number[];
  readonly nonce: Hex32;
  /** From the model's manifest. */
  readonly commitPoints: number;
  readonly vocabulary: number;
  /** When the receipt came, in Unix seconds. */
  readonly receivedAt: number;
  /** The last one that the node signed for this request; the received ids agree with it. */
  readonly checkpoint?: Checkpoint | undefined;
  /** The end that the gateway sent, and whether the node confirmed it before it signed. */
  readonly end?: { readonly end: End; readonly confirmed: boolean } | undefined;
}

/** What came back. */
export interface Answered {
  /** Every id that was received, also those after an end. */
  readonly ids: readonly number[];
  readonly receipt: Receipt;
  readonly signature: Signature;
  readonly digests: Uint8Array;
}

/** The text as it was decoded while ids came, against the whole decoded at once. */
export interface TextCheck {
  readonly streamed: string;
  /** How many ids `streamed` was made of. */
  readonly tokens: number;
  readonly decode: (ids: readonly number[]) => string;
}

/**
 * Checks an answer against its request. What one signature and hashing can tell is told here; whether the model really produced these
 * tokens is for re-execution (`commonweight verify`).
 *
 * @returns the completion ids that the receipt is for: all that came, or those up to the end that the gateway sent.
 * @throws ReceiptInvalid naming the check.
 */
export function checkAnswer(asked: Asked, answered: Answered, text: TextCheck): readonly number[] {
  const { request, domain } = asked;
  const { receipt } = answered;
  const require = (holds: boolean, check: AnswerCheck, message: () => string): void => {
    if (!holds) throw new ReceiptInvalid(check, message());
  };
  const same = (check: AnswerCheck, what: string, expected: string | number, got: string | number): void =>
    require(expected === got, check, () => `expected ${what} ${expected}, the receipt says ${got}`);

  require(isSignedBy(receiptDigest(receipt, domain), answered.signature, asked.sessionKey), 'signature', () =>
    `expected the signature of ${asked.sessionKey}, the session key registered on chain for ${request.node}`);
  same('node', 'the asked node', request.node, receipt.node);
  same('payer', 'the payer', request.payer, receipt.payer);
  same('model', 'the asked model', request.modelId, receipt.modelId);
  same('request_hash', 'the hash of the signed request', requestHashOf(request), receipt.requestHash);
  same('prompt_tokens', 'prompt tokens', asked.promptIds.length, receipt.promptTokens);
  const outside = answered.ids.find((id) => id >= asked.vocabulary);
  require(outside === undefined, 'vocabulary', () => `expected ids below ${asked.vocabulary}, got ${outside}`);

  const ids = coveredIds(asked, answered);
  const commitment = new IdsCommitment(fromHex(asked.nonce, 32), asked.promptIds);
  for (const id of ids) commitment.append(id);
  // two signatures over the same number of tokens that cannot both be true
  const twice = asked.checkpoint?.completionTokens === receipt.completionTokens;
  same(twice ? 'equivocation' : 'ids_root', 'the root of the received ids,', toHex(commitment.root()), receipt.idsRoot);

  const leaves = committedPositions(receipt.promptTokens, receipt.completionTokens) * asked.commitPoints;
  require(answered.digests.length === 32 * leaves, 'digests', () =>
    `expected ${leaves} digests of commit points, got ${answered.digests.length / 32}`);
  const thinRoot = merkleRoot(MerkleTag.thin, digestsOf(answered.digests));
  same('thin_root', 'the root of the digests sent,', toHex(thinRoot), receipt.thinRoot);

  for (const [name, got, cap] of [
    ['prompt', receipt.promptPrice, BigInt(request.promptPrice)],
    ['completion', receipt.completionPrice, BigInt(request.completionPrice)],
  ] as const) {
    require(got <= cap, 'prices', () => `expected a ${name} price of at most ${cap}, the receipt says ${got}`);
  }
  same('asset', 'the asset', request.asset, receipt.asset);
  same('channel', 'the channel', request.channel, receipt.channel);
  const limit = BigInt(request.cumulativeLimit);
  require(receipt.cumulativeAmount <= limit, 'limit', () =>
    `expected a sum of at most ${limit}, the receipt says ${receipt.cumulativeAmount}`);
  // how long the node has to post counts from there
  const latest = asked.receivedAt + limits.receiptAheadSeconds;
  require(receipt.issuedAt <= latest, 'issued_at', () => `expected a time up to ${latest}, the receipt says ${receipt.issuedAt}`);
  const whole = text.decode(answered.ids.slice(0, text.tokens));
  require(whole === text.streamed, 'text', () =>
    `the ids decode to ${whole.length} characters that differ from the ${text.streamed.length} that were streamed`);
  return ids;
}

/** The ids that the receipt counts, once its finish reason fits the stop rules. */
function coveredIds(asked: Asked, { ids, receipt }: Answered): readonly number[] {
  const { request, end } = asked;
  const reason = receipt.finishReason;
  const fail = (message: string): never => {
    throw new ReceiptInvalid('finish_reason', message);
  };
  if (reason === 'stop_string' || reason === 'cancelled') {
    if (!end) return fail(`the receipt says ${reason}, but no end was sent`);
    if (end.end.reason !== reason) return fail(`expected ${end.end.reason}, the receipt says ${reason}`);
    if (receipt.completionTokens !== end.end.completionTokens) return countFailure(end.end.completionTokens, receipt.completionTokens);
    return ids.slice(0, end.end.completionTokens);
  }
  // an end that the node had not confirmed may have come too late: then the run ended by itself, under its own rules
  if (end?.confirmed) return fail(`the node confirmed the end (${end.end.reason}), the receipt says ${reason}`);
  if (receipt.completionTokens !== ids.length) return countFailure(ids.length, receipt.completionTokens);
  const firstStop = ids.findIndex((id) => request.stopIds.includes(id));
  if (reason === 'stop_id') {
    if (firstStop < 0) return fail(`the receipt says stop_id, but no stop id came`);
    if (firstStop !== ids.length - 1) return fail(`the stop id came at token ${firstStop + 1} of ${ids.length}`);
    return ids;
  }
  if (firstStop >= 0) return fail(`the receipt says length, but token ${firstStop + 1} is a stop id`);
  if (ids.length !== request.maxTokens) return fail(`the receipt says length, but ${ids.length} of ${request.maxTokens} tokens came`);
  return ids;
}

const countFailure = (expected: number, got: number): never => {
  throw new ReceiptInvalid('completion_tokens', `expected ${expected} completion tokens, the receipt says ${got}`);
};

function* digestsOf(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 32) yield bytes.subarray(at, at + 32);
}
