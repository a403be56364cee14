import type { Address, Hex32, ModelId } from './bytes.ts';
import { type Domain, typedDigest, word } from './eip712.ts';
import { limits } from './limits.ts';
import { Fields } from './read.ts';
import { type Signature, recoverSigner } from './signature.ts';

/** Why an answer ended; the number is its value in the signed receipt. The last two need the payer's signed {@link End}. */
export const finishReasons = { stop_id: 0, length: 1, stop_string: 2, cancelled: 3 } as const;
export type FinishReason = keyof typeof finishReasons;
const finishNames = Object.keys(finishReasons) as FinishReason[];

/** What a node signs about one answer. Amounts are in the asset's smallest unit, decimal strings on the wire. */
export interface Receipt {
  readonly node: Address;
  readonly payer: Address;
  readonly modelId: ModelId;
  readonly requestHash: Hex32;
  /** Salted root over prompt and completion ids. */
  readonly idsRoot: Hex32;
  /** Root over the residual digests of positions 0 .. promptTokens + max(completionTokens, 1) - 2. */
  readonly thinRoot: Hex32;
  readonly promptTokens: number;
  readonly completionTokens: number;
  readonly finishReason: FinishReason;
  /** Per million tokens. */
  readonly promptPrice: bigint;
  readonly completionPrice: bigint;
  readonly asset: Address;
  /** Sum of all amounts of this account (node, payer, model, asset, channel), this receipt included. */
  readonly cumulativeAmount: bigint;
  readonly channel: Hex32;
  /** Index of the batch (per node) that this receipt will be posted in. */
  readonly batch: number;
  /** Consecutive per (node, payer), from 0. */
  readonly sequence: number;
  /** Digest of the receipt before it for the same (node, payer); zero for the first. */
  readonly previous: Hex32;
  /** Unix seconds. */
  readonly issuedAt: number;
}

export const RECEIPT_TYPE =
  'Receipt(address node,address payer,bytes32 modelId,bytes32 requestHash,bytes32 idsRoot,bytes32 thinRoot,uint32 promptTokens,uint32 completionTokens,uint8 finishReason,uint256 promptPrice,uint256 completionPrice,address asset,uint256 cumulativeAmount,bytes32 channel,uint64 batch,uint64 sequence,bytes32 previous,uint64 issuedAt)';

/** EIP-712 digest; also the receipt's id and its leaf in the batch. */
export function receiptDigest(receipt: Receipt, domain: Domain): Hex32 {
  return typedDigest(domain, RECEIPT_TYPE, [
    word.address(receipt.node),
    word.address(receipt.payer),
    word.bytes32(receipt.modelId),
    word.bytes32(receipt.requestHash),
    word.bytes32(receipt.idsRoot),
    word.bytes32(receipt.thinRoot),
    word.uint(receipt.promptTokens),
    word.uint(receipt.completionTokens),
    word.uint(finishReasons[receipt.finishReason]),
    word.uint(receipt.promptPrice),
    word.uint(receipt.completionPrice),
    word.address(receipt.asset),
    word.uint(receipt.cumulativeAmount),
    word.bytes32(receipt.channel),
    word.uint(receipt.batch),
    word.uint(receipt.sequence),
    word.bytes32(receipt.previous),
    word.uint(receipt.issuedAt),
  ]);
}

/** The amount of one receipt: prices are per million tokens, rounded up once. */
export const receiptAmount = (receipt: Pick<Receipt, 'promptTokens' | 'completionTokens' | 'promptPrice' | 'completionPrice'>): bigint =>
  (BigInt(receipt.promptTokens) * receipt.promptPrice + BigInt(receipt.completionTokens) * receipt.completionPrice + 999_999n) / 1_000_000n;

/** JSON form: bigints become decimal strings. */
export type ReceiptJson = { readonly [K in keyof Receipt]: Receipt[K] extends bigint ? string : Receipt[K] };

export const receiptToJson = (receipt: Receipt): ReceiptJson => ({
  ...receipt,
  promptPrice: String(receipt.promptPrice),
  completionPrice: String(receipt.completionPrice),
  cumulativeAmount: String(receipt.cumulativeAmount),
});

const MAX_UINT53 = Number.MAX_SAFE_INTEGER;

export function parseReceipt(value: unknown, path = 'receipt'): Receipt {
  const f = new Fields(value, path, [
    'node',
    'payer',
    'modelId',
    'requestHash',
    'idsRoot',
    'thinRoot',
    'promptTokens',
    'completionTokens',
    'finishReason',
    'promptPrice',
    'completionPrice',
    'asset',
    'cumulativeAmount',
    'channel',
    'batch',
    'sequence',
    'previous',
    'issuedAt',
  ]);
  return {
    node: f.address('node'),
    payer: f.address('payer'),
    modelId: f.hex32('modelId'),
    requestHash: f.hex32('requestHash'),
    idsRoot: f.hex32('idsRoot'),
    thinRoot: f.hex32('thinRoot'),
    promptTokens: f.integer('promptTokens', 1, limits.positions),
    completionTokens: f.integer('completionTokens', 0, limits.positions),
    finishReason: f.literal('finishReason', finishNames),
    promptPrice: f.uint('promptPrice'),
    completionPrice: f.uint('completionPrice'),
    asset: f.address('asset'),
    cumulativeAmount: f.uint('cumulativeAmount'),
    channel: f.hex32('channel'),
    batch: f.integer('batch', 0, MAX_UINT53),
    sequence: f.integer('sequence', 0, MAX_UINT53),
    previous: f.hex32('previous'),
    issuedAt: f.integer('issuedAt', 0, MAX_UINT53),
  };
}

/** The payer's order to end a run at `completionTokens`: a stop string was completed there, or the client went away. */
export interface End {
  readonly requestHash: Hex32;
  readonly completionTokens: number;
  readonly reason: 'stop_string' | 'cancelled';
}

export const endDigest = (end: End, domain: Domain): Hex32 =>
  typedDigest(domain, 'End(bytes32 requestHash,uint32 completionTokens,uint8 finishReason)', [
    word.bytes32(end.requestHash),
    word.uint(end.completionTokens),
    word.uint(finishReasons[end.reason]),
  ]);

export function parseEnd(value: unknown, path = 'end'): End {
  const f = new Fields(value, path, ['requestHash', 'completionTokens', 'reason']);
  return {
    requestHash: f.hex32('requestHash'),
    completionTokens: f.integer('completionTokens', 0, limits.positions),
    reason: f.literal('reason', ['stop_string', 'cancelled']),
  };
}

/** Whether `signer` signed this digest. */
export const isSignedBy = (digest: Hex32, signature: Signature, signer: Address): boolean => recoverSigner(digest, signature) === signer;
