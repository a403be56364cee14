/**
 * All that this package takes from x402's packages, in one place. Loaded when a facilitator is made, and packed like viem.ts: these packages import viem's hundreds of files.
 */
export { x402Facilitator } from '@x402/core/facilitator';
export { BatchSettlementEvmScheme } from '@x402/evm/batch-settlement/facilitator';
export { ExactEvmScheme } from '@x402/evm/exact/facilitator';
export { UptoEvmScheme } from '@x402/evm/upto/facilitator';
