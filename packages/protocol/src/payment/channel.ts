import { keccak_256 } from '@noble/hashes/sha3.js';
import { type Address, type Hex32, concatBytes, toHex } from '../bytes.ts';
import { type TypedDomain, structDigest, word } from '../eip712.ts';

/** x402's contract of payment channels: one address on every chain. */
export const BATCH_SETTLEMENT: Address = '0x4020074e9df2ce1dee5a9c1b5c3f541d02a10003';

/** Terms of an x402 payment channel. They never change; the channel's id is their hash. */
export interface ChannelConfig {
  readonly payer: Address;
  /** Signs vouchers; zero: the payer is a contract and signs itself. */
  readonly payerAuthorizer: Address;
  readonly receiver: Address;
  readonly receiverAuthorizer: Address;
  readonly token: Address;
  /** Seconds from the payer's wish to withdraw to the withdrawal. */
  readonly withdrawDelay: number;
  readonly salt: Hex32;
}

/** The payer's word that at most so much of a channel may be claimed, all requests together. */
export interface Voucher {
  readonly channelId: Hex32;
  readonly maxClaimableAmount: bigint;
}

const domain = (chainId: number): TypedDomain => ({
  name: 'x402 Batch Settlement',
  version: '1',
  chainId,
  verifyingContract: BATCH_SETTLEMENT,
});

const CHANNEL_TYPE =
  'ChannelConfig(address payer,address payerAuthorizer,address receiver,address receiverAuthorizer,address token,uint40 withdrawDelay,bytes32 salt)';

export const channelIdOf = (config: ChannelConfig, chainId: number): Hex32 =>
  structDigest(domain(chainId), CHANNEL_TYPE, [
    word.address(config.payer),
    word.address(config.payerAuthorizer),
    word.address(config.receiver),
    word.address(config.receiverAuthorizer),
    word.address(config.token),
    word.uint(config.withdrawDelay),
    word.bytes32(config.salt),
  ]);

/** What the payer (or his authorizer) signs. */
export const voucherDigest = ({ channelId, maxClaimableAmount }: Voucher, chainId: number): Hex32 =>
  structDigest(domain(chainId), 'Voucher(bytes32 channelId,uint128 maxClaimableAmount)', [
    word.bytes32(channelId),
    word.uint(maxClaimableAmount),
  ]);

/** Channel of a payment that is made once (SPEC section 25): `nonce` is the EIP-3009 or Permit2 nonce. */
export const singleChannel = (from: Address, asset: Address, nonce: Hex32 | bigint): Hex32 =>
  toHex(
    keccak_256(concatBytes(word.address(from), word.address(asset), typeof nonce === 'bigint' ? word.uint(nonce) : word.bytes32(nonce))),
  );
