import { keccak_256 } from '@noble/hashes/sha3.js';
import { type Address, type Hex32, concatBytes, toHex } from '../bytes.ts';
import { type TypedDomain, structDigest, word } from '../eip712.ts';

/** EIP-3009: the holder of a token lets `value` of it move once, within a time. Seconds since 1970. */
export interface TokenAuthorization {
  readonly from: Address;
  readonly to: Address;
  readonly value: bigint;
  readonly validAfter: bigint;
  readonly validBefore: bigint;
  readonly nonce: Hex32;
}

const FIELDS = '(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)';

const words = (a: TokenAuthorization): Uint8Array[] => [
  word.address(a.from),
  word.address(a.to),
  word.uint(a.value),
  word.uint(a.validAfter),
  word.uint(a.validBefore),
  word.bytes32(a.nonce),
];

/** What x402's `exact` signs. @param token - the asset's own domain. */
export const transferAuthorizationDigest = (authorization: TokenAuthorization, token: TypedDomain): Hex32 =>
  structDigest(token, `TransferWithAuthorization${FIELDS}`, words(authorization));

/** What a deposit into a channel signs: only the receiver can use it. */
export const receiveAuthorizationDigest = (authorization: TokenAuthorization, token: TypedDomain): Hex32 =>
  structDigest(token, `ReceiveWithAuthorization${FIELDS}`, words(authorization));

/** Nonce of the authorization of a deposit: it binds the money to the channel. */
export const depositNonce = (channelId: Hex32, salt: Hex32): Hex32 =>
  toHex(keccak_256(concatBytes(word.bytes32(channelId), word.bytes32(salt))));
