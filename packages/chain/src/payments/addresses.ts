import { type Address } from '@commonweight/protocol';

/** Where the contracts that x402 relies on stand on every chain. `@x402/evm` has these addresses built in. */
export const PERMIT2: Address = '0x000000000022d473030f116ddee9f6b43ac78ba3';
export const MULTICALL3: Address = '0xca11bde05977b3631167028862be2a173976ca11';
export const EXACT_PERMIT2_PROXY: Address = '0x402085c248eea27d92e8b30b2c58ed07f9e20001';
export const UPTO_PERMIT2_PROXY: Address = '0x4020a4f3b7b90cca423b9fabcc0ce57c6c240002';
export const BATCH_SETTLEMENT: Address = '0x4020074e9df2ce1dee5a9c1b5c3f541d02a10003';
export const ERC3009_COLLECTOR: Address = '0x4020806089470a89826cb9fb1f4059150b550004';
export const PERMIT2_COLLECTOR: Address = '0x4020425faf3b746c082c2f942b4e5159887b0005';

export const paymentContracts: Readonly<Record<string, Address>> = {
  Permit2: PERMIT2,
  Multicall3: MULTICALL3,
  x402ExactPermit2Proxy: EXACT_PERMIT2_PROXY,
  x402UptoPermit2Proxy: UPTO_PERMIT2_PROXY,
  x402BatchSettlement: BATCH_SETTLEMENT,
  ERC3009DepositCollector: ERC3009_COLLECTOR,
  Permit2DepositCollector: PERMIT2_COLLECTOR,
};
