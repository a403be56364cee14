import type { Address, Hex32 } from '../bytes.ts';
import { toHex } from '../bytes.ts';
import { hashStruct, structDigest, word } from '../eip712.ts';
import { PERMIT2, UPTO_PROXY } from './contracts.ts';

/** What x402's `upto` signs: a facilitator may move at most `amount` to `to`, once. */
export interface UptoPermit {
  readonly token: Address;
  readonly amount: bigint;
  readonly nonce: bigint;
  /** Seconds since 1970. */
  readonly deadline: bigint;
  readonly to: Address;
  readonly facilitator: Address;
  readonly validAfter: bigint;
}

const TOKEN = 'TokenPermissions(address token,uint256 amount)';
const WITNESS = 'Witness(address to,address facilitator,uint256 validAfter)';

export const uptoPermitDigest = (permit: UptoPermit, chainId: number): Hex32 =>
  structDigest(
    { name: 'Permit2', chainId, verifyingContract: PERMIT2 },
    `PermitWitnessTransferFrom(TokenPermissions permitted,address spender,uint256 nonce,uint256 deadline,Witness witness)${TOKEN}${WITNESS}`,
    [
      word.bytes32(toHex(hashStruct(TOKEN, [word.address(permit.token), word.uint(permit.amount)]))),
      word.address(UPTO_PROXY),
      word.uint(permit.nonce),
      word.uint(permit.deadline),
      word.bytes32(toHex(hashStruct(WITNESS, [word.address(permit.to), word.address(permit.facilitator), word.uint(permit.validAfter)]))),
    ],
  );
