import { type Hex32, isPrivateKey, toHex } from '@commonweight/protocol';
import { randomBytes } from 'node:crypto';

/** A fresh secp256k1 private key. Operator, session and payer keys are three different keys. */
export function generateKey(): Hex32 {
  for (;;) {
    const key = toHex(randomBytes(32)) as Hex32;
    // 0 and values above the group order are no keys; seen with probability 2^-128
    if (isPrivateKey(key)) return key;
  }
}
