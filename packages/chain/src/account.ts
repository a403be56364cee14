import { type Address, type Hex32, addressOfKey, fromHex, signDigest, toHex } from '@commonweight/protocol';
import { type Hex, type TransactionSerializableEIP1559, keccak256, serializeTransaction } from './viem.ts';

/** An account whose key this process holds. */
export interface Account {
  readonly address: Address;
  /** @returns the signed transaction, ready to be broadcast */
  readonly signTransaction: (transaction: TransactionSerializableEIP1559) => Hex;
}

/** Signs with the protocol's own secp256k1: a second implementation in the same process would build its table of the base point again, 50 ms a start. */
export const accountOfKey = (privateKey: Hex32): Account => ({
  address: addressOfKey(privateKey),
  signTransaction: (transaction) => {
    const signature = fromHex(signDigest(keccak256(serializeTransaction(transaction)) as Hex32, privateKey), 65);
    return serializeTransaction(transaction, {
      r: toHex(signature.subarray(0, 32)),
      s: toHex(signature.subarray(32, 64)),
      yParity: signature[64]! - 27,
    });
  },
});
