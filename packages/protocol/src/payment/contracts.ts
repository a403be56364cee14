import type { Address } from '../bytes.ts';

/** x402's collector: moves an EIP-3009 authorization into a channel. One address on every chain, like the others. */
export const DEPOSIT_COLLECTOR: Address = '0x4020806089470a89826cb9fb1f4059150b550004';

/** x402's proxy of `upto`: the spender of its Permit2 transfers. */
export const UPTO_PROXY: Address = '0x4020a4f3b7b90cca423b9fabcc0ce57c6c240002';

export const PERMIT2: Address = '0x000000000022d473030f116ddee9f6b43ac78ba3';
