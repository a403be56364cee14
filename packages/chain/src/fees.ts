import { limits } from './limits.ts';
import { type Rpc } from './rpc.ts';

/** Wei per gas, as EIP-1559 has them. */
export interface Fees {
  readonly maxFeePerGas: bigint;
  readonly maxPriorityFeePerGas: bigint;
}

const larger = (a: bigint, b: bigint): bigint => (a > b ? a : b);

/** What a transaction should offer now: what viem derives from the newest block, and never less than the price that the node names, which knows the next block's base fee. */
export async function currentFees(rpc: Rpc): Promise<Fees> {
  const [{ maxFeePerGas, maxPriorityFeePerGas }, price] = await Promise.all([
    rpc.call({ what: 'fees' }, (client) => client.estimateFeesPerGas()),
    rpc.call({ what: 'gas price' }, (client) => client.getGasPrice()),
  ]);
  return { maxFeePerGas: larger(maxFeePerGas, (price * 12n) / 10n), maxPriorityFeePerGas };
}

/** At least what replaces a transaction that offered `fees`. */
export function raised(fees: Fees): Fees {
  const more = (fee: bigint): bigint => (fee * (100n + limits.replacementRaise)) / 100n + 1n;
  return { maxFeePerGas: more(fees.maxFeePerGas), maxPriorityFeePerGas: more(fees.maxPriorityFeePerGas) };
}

/** The higher of each. */
export const highest = (a: Fees, b: Fees): Fees => ({
  maxFeePerGas: larger(a.maxFeePerGas, b.maxFeePerGas),
  maxPriorityFeePerGas: larger(a.maxPriorityFeePerGas, b.maxPriorityFeePerGas),
});
