import { keccak_256 } from '@noble/hashes/sha3.js';
import { type Address, type Hex32, concatBytes, toHex, utf8 } from '../bytes.ts';
import { word } from '../eip712.ts';

/** An EIP-712 domain of somebody else's contract; Permit2's has no version. */
export interface TypedDomain {
  readonly name: string;
  readonly version?: string;
  readonly chainId: number;
  readonly verifyingContract: Address;
}

const hashText = (text: string): Uint8Array => keccak_256(utf8(text));

/** EIP-712 hashStruct of static fields; a nested struct is a word that holds its own hash. */
export const hashStruct = (type: string, words: readonly Uint8Array[]): Uint8Array => keccak_256(concatBytes(hashText(type), ...words));

function separator({ name, version, chainId, verifyingContract }: TypedDomain): Uint8Array {
  const type = `EIP712Domain(string name,${version === undefined ? '' : 'string version,'}uint256 chainId,address verifyingContract)`;
  const named = version === undefined ? [hashText(name)] : [hashText(name), hashText(version)];
  return hashStruct(type, [...named, word.uint(chainId), word.address(verifyingContract)]);
}

/** EIP-712 digest of a struct in a domain. */
export const structDigest = (domain: TypedDomain, type: string, words: readonly Uint8Array[]): Hex32 =>
  toHex(keccak_256(concatBytes(Uint8Array.of(0x19, 0x01), separator(domain), hashStruct(type, words))));
