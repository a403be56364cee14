import { describe, expect, it } from 'vitest';
import { privateKeyToAccount } from 'viem/accounts';
import type { TransactionSerializableEIP1559 } from './viem.ts';
import { accountOfKey } from './account.ts';
import { generateKey } from './keys.ts';

describe('accountOfKey', () => {
  it("signs the bytes that viem's accounts sign", async () => {
    for (let nonce = 0; nonce < 64; nonce++) {
      const key = generateKey();
      const account = accountOfKey(key);
      const theirs = privateKeyToAccount(key);
      expect(account.address).toBe(theirs.address.toLowerCase());
      const transaction: TransactionSerializableEIP1559 & { readonly type: 'eip1559' } = {
        type: 'eip1559',
        chainId: 31_337,
        nonce,
        to: '0x4e59b44847b379578588920ca78fbf26c0b4956c',
        gas: 100_000n,
        maxFeePerGas: 2_000_000_000n,
        maxPriorityFeePerGas: 1n,
        ...(nonce % 2 === 0 ? { data: '0x00ff' } : { value: 10n ** 18n }),
      };
      expect(account.signTransaction(transaction)).toBe(await theirs.signTransaction(transaction));
    }
  });
});
