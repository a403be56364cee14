import { type Hex32, toHex } from '@commonweight/protocol';
import { randomBytes } from 'node:crypto';
import { privateKeyToAddress } from './viem.ts';

/** A fresh secp256k1 private key. Operator, session and payer keys are three different keys. */
export function generateKey(): Hex32 {
  for (;;) {
    const key = toHex(randomBytes(32)) as Hex32;
    // 0 and values above the group order are no keys; seen with probability 2^-128
    if (isPrivateKey(key)) return key;
  }
}

export function isPrivateKey(value: unknown): value is Hex32 {
  if (typeof value !== 'string' || !/^0x[0-9a-f]{64}$/.test(value)) return false;
  try {
    privateKeyToAddress(value as Hex32);
    return true;
  } catch {
    // the only thing that the curve refuses is a number outside its range
    return false;
  }
}
