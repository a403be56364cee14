import { type Address, type Hex32, ZERO_ADDRESS, ZERO_HEX32, addressOfKey, signDigest, toHex, uintBE } from '@commonweight/protocol';
import type { Draft, LedgerOptions } from '../ledger.ts';

export const sessionKey = `0x${'3b'.repeat(32)}` as Hex32;
export const identity = {
  node: `0x${'0a'.repeat(20)}` as Address,
  domain: { chainId: 31_337, verifyingContract: `0x${'c0'.repeat(20)}` as Address },
};
export const payers = [1, 2].map((i) => addressOfKey(toHex(uintBE(i, 32)) as Hex32));

export const ledgerOptions = (folder: string): LedgerOptions => ({ folder, identity, sign: (digest) => signDigest(digest, sessionKey) });

/** The n-th request's answer; `salt` makes another answer to the same request. */
export const draft = (n: number, { payer = payers[0]!, salt = 0 } = {}): Draft => ({
  payer,
  modelId: toHex(uintBE(1, 32)) as Hex32,
  requestHash: toHex(uintBE(1000 + n, 32)) as Hex32,
  idsRoot: toHex(uintBE(2000 + n + 1_000_000 * salt, 32)) as Hex32,
  thinRoot: toHex(uintBE(3000 + n, 32)) as Hex32,
  promptTokens: 3,
  completionTokens: 5,
  finishReason: 'length',
  promptPrice: 0n,
  completionPrice: 1_000_000n,
  asset: ZERO_ADDRESS,
  channel: ZERO_HEX32,
  issuedAt: 1_790_000_000 + n,
});
