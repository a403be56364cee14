import { keccak_256 } from '@noble/hashes/sha3.js';
import { type Address, type Hex32, concatBytes, fromHex, toHex, uintBE, utf8 } from './bytes.ts';

/** Where a signature counts: one chain, one ReceiptLog contract. */
export interface Domain {
  readonly chainId: number;
  /** The ReceiptLog contract. */
  readonly verifyingContract: Address;
}

const typeHash = (type: string): Uint8Array => keccak_256(utf8(type));
const DOMAIN_TYPE = typeHash('EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)');

export const word = {
  uint: (value: bigint | number): Uint8Array => uintBE(value, 32),
  address: (value: Address): Uint8Array => concatBytes(new Uint8Array(12), fromHex(value, 20)),
  bytes32: (value: Hex32): Uint8Array => fromHex(value, 32),
};

/** Name and version of our own domain; other contracts that a payment touches have theirs. */
export interface NamedDomain extends Domain {
  readonly name: string;
  readonly version: string;
}

function domainSeparator({ name, version, chainId, verifyingContract }: NamedDomain): Uint8Array {
  return keccak_256(
    concatBytes(DOMAIN_TYPE, keccak_256(utf8(name)), keccak_256(utf8(version)), word.uint(chainId), word.address(verifyingContract)),
  );
}

/** EIP-712 digest of a struct whose fields are all static: keccak256(0x19 0x01 || domain || keccak256(typeHash || words)). */
export const typedDigest = (domain: Domain, type: string, words: readonly Uint8Array[]): Hex32 =>
  typedDigestIn({ ...domain, name: 'Commonweight', version: '1' }, type, words);

/** The same under the domain of another contract. */
export function typedDigestIn(domain: NamedDomain, type: string, words: readonly Uint8Array[]): Hex32 {
  const struct = keccak_256(concatBytes(typeHash(type), ...words));
  return toHex(keccak_256(concatBytes(Uint8Array.of(0x19, 0x01), domainSeparator(domain), struct)));
}
