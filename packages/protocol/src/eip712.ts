import { keccak_256 } from '@noble/hashes/sha3.js';
import { type Address, type Hex32, concatBytes, fromHex, toHex, uintBE, utf8 } from './bytes.ts';

/** Where a signature counts: one chain, one ReceiptLog contract. */
export interface Domain {
  readonly chainId: number;
  /** The ReceiptLog contract. */
  readonly verifyingContract: Address;
}

/** The domain of any contract; Permit2's has no version. */
export interface TypedDomain extends Domain {
  readonly name: string;
  readonly version?: string;
}

const hashText = (text: string): Uint8Array => keccak_256(utf8(text));

export const word = {
  uint: (value: bigint | number): Uint8Array => uintBE(value, 32),
  address: (value: Address): Uint8Array => concatBytes(new Uint8Array(12), fromHex(value, 20)),
  bytes32: (value: Hex32): Uint8Array => fromHex(value, 32),
};

/** EIP-712 hashStruct of static fields; a nested struct is a word that holds its own hash. */
export const hashStruct = (type: string, words: readonly Uint8Array[]): Uint8Array => keccak_256(concatBytes(hashText(type), ...words));

function domainSeparator({ name, version, chainId, verifyingContract }: TypedDomain): Uint8Array {
  const type = `EIP712Domain(string name,${version === undefined ? '' : 'string version,'}uint256 chainId,address verifyingContract)`;
  const named = version === undefined ? [hashText(name)] : [hashText(name), hashText(version)];
  return hashStruct(type, [...named, word.uint(chainId), word.address(verifyingContract)]);
}

/** EIP-712 digest of a struct in a domain: keccak256(0x19 0x01 || domain || hashStruct). */
export const structDigest = (domain: TypedDomain, type: string, words: readonly Uint8Array[]): Hex32 =>
  toHex(keccak_256(concatBytes(Uint8Array.of(0x19, 0x01), domainSeparator(domain), hashStruct(type, words))));

/** The same in our own domain. */
export const typedDigest = (domain: Domain, type: string, words: readonly Uint8Array[]): Hex32 =>
  structDigest({ ...domain, name: 'Commonweight', version: '1' }, type, words);
