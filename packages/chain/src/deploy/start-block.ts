import { type Address } from '@commonweight/protocol';
import { tokenAbi } from '../abis.gen.ts';
import { type Rpc } from '../rpc.ts';

/**
 * The last block before a token had a supply, found without an archive: the token itself tells its supply at any time, and every node keeps the times of blocks.
 */
export async function startBlockOf(rpc: Rpc, token: Address): Promise<number> {
  const newest = await rpc.call({ what: 'block' }, (c) => c.getBlock());
  const hasSupply = (time: number): Promise<boolean> =>
    rpc.call({ what: 'supply' }, async (c) => {
      const supply = await c.readContract({ address: token, abi: tokenAbi, functionName: 'getPastTotalSupply', args: [BigInt(time)] });
      return supply > 0n;
    });
  const founded = await firstWhere(0, Number(newest.timestamp), hasSupply);
  const laterThan = async (number: number): Promise<boolean> => {
    const { timestamp } = await rpc.call({ what: 'block' }, (c) => c.getBlock({ blockNumber: BigInt(number) }));
    return Number(timestamp) >= founded;
  };
  return Math.max(0, (await firstWhere(0, Number(newest.number), laterThan)) - 1);
}

/** The least number from `low` to `high - 1` that satisfies a monotone condition, else `high`; 53 steps at most. */
async function firstWhere(low: number, high: number, condition: (n: number) => Promise<boolean>): Promise<number> {
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (await condition(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
