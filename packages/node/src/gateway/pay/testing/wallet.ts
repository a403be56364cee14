import { type Address, type Hex32, type PaymentOffer, sha256, toHex, utf8 } from '@commonweight/protocol';
import { systemClock } from '../../../platform/clock.ts';
import { randomHex } from '../../../platform/random.ts';
import { keys } from '../../testing/answer-fixture.ts';
import type { WalletOptions } from '../wallet.ts';

const hash = (text: string): Hex32 => toHex(sha256(utf8(text)));
export const address = (text: string): Address => hash(text).slice(0, 42) as Address;
export const node = address('operator');
export const modelId = hash('model');

export const offer: PaymentOffer = {
  scheme: 'batch-settlement',
  network: 'eip155:31337',
  amount: '1000',
  asset: address('dollar'),
  payTo: address('splitter'),
  maxTimeoutSeconds: 300,
  extra: { name: 'Test Dollar', version: '1', receiverAuthorizer: node, withdrawDelay: 900 },
};

export const caps = { maxPerRequest: 5_000n, maxPerDay: 1_000_000n, maxDeposit: 50_000n, depositStep: 10_000n };

export const walletOptions = (folder: string, options: Partial<WalletOptions> = {}): WalletOptions => ({
  folder,
  key: keys.payer,
  chainId: 31_337,
  caps,
  clock: systemClock,
  draw32: () => `0x${randomHex(32)}` as Hex32,
  balanceOf: async () => 0n,
  ...options,
});
