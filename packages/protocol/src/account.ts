import { keccak_256 } from '@noble/hashes/sha3.js';
import { type Hex32, concatBytes, toHex } from './bytes.ts';
import { word } from './eip712.ts';
import { type Receipt, receiptAmount } from './receipt.ts';
import type { CanonicalRequest } from './request.ts';

/** Where amounts add up: one node, payer, model, asset and channel. */
export type Account = Pick<Receipt, 'node' | 'payer' | 'modelId' | 'asset' | 'channel'>;

/** The account's name, as the Settlement contract computes it. */
export const accountKey = ({ node, payer, modelId, asset, channel }: Account): Hex32 =>
  toHex(
    keccak_256(concatBytes(word.address(node), word.address(payer), word.bytes32(modelId), word.address(asset), word.bytes32(channel))),
  );

/** The most that a run can cost at these prices per million tokens: its prompt and all the tokens that it may give. */
export const maximumAmount = (
  { promptTokens, maxTokens }: Pick<CanonicalRequest, 'promptTokens' | 'maxTokens'>,
  prices: Pick<Receipt, 'promptPrice' | 'completionPrice'>,
): bigint => receiptAmount({ promptTokens, completionTokens: maxTokens, ...prices });
