import { type Address } from '@commonweight/protocol';
import { ChainError } from '../errors.ts';
import { type Rpc } from '../rpc.ts';
import { concatHex } from '../viem.ts';
import { CREATE2_FACTORY, SALT } from './create2.ts';
import { type Expected, type Plan, type Step } from './plan.ts';

/** The data of a step's transaction. */
export const callData = ({ initCode }: Step) => concatHex([SALT, initCode]);

/**
 * Gas of one step. The chain is asked; a constructor that calls a contract which is not there yet cannot be simulated, and is bounded instead.
 */
export async function estimateGas(rpc: Rpc, account: Address, step: Step, { contracts }: Plan): Promise<bigint> {
  try {
    return await rpc.call({ what: `gas of ${step.name}` }, (c) => c.estimateGas({ account, to: CREATE2_FACTORY, data: callData(step) }));
  } catch (error) {
    if (!(error instanceof ChainError) || error.code === 'chain_unreachable') throw error;
    return upperBound(step, descendants(step, contracts));
  }
}

/** What a step's constructor makes, and what that makes. */
function descendants({ address }: Expected, contracts: readonly Expected[]): readonly Expected[] {
  const children = contracts.filter(({ creator }) => creator === address);
  return children.flatMap((child) => [child, ...descendants(child, contracts)]);
}

/** Yellow paper, appendix G, with EIP-2028 and EIP-3860: what every creation costs, and 2 million for what the constructors may do besides. */
function upperBound(step: Step, children: readonly Expected[]): bigint {
  const bytes = (callData(step).length - 2) / 2;
  const words = Math.ceil(bytes / 32);
  const made = [step, ...children].reduce((sum, { runtime }) => sum + 200 * runtime.bytes, 0);
  // a child's creation code was part of ours
  return BigInt(21_000 + 16 * bytes + 32_000 * (1 + children.length) + 2 * (2 + 6 + 3) * words + made + 2_000_000);
}
