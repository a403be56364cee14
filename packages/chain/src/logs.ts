import { type Address } from '@commonweight/protocol';
import { ChainError } from './errors.ts';
import { limits } from './limits.ts';
import { type Rpc } from './rpc.ts';
import { type Abi, type ContractEventName, type GetContractEventsReturnType } from './viem.ts';

export interface EventQuery<A, N> {
  readonly address: Address;
  readonly abi: A;
  readonly eventName: N;
  /** Values of indexed arguments: only events with these. */
  readonly args?: Readonly<Record<string, unknown>>;
  readonly fromBlock: number;
}

/**
 * All events of a name from `fromBlock` to now, oldest first. Public RPC URLs answer for a bounded number of blocks only, and each has its own bound: a range that is
 * refused is halved. `args` restrict indexed ones.
 */
export async function readEvents<const A extends Abi, N extends ContractEventName<A>>(
  rpc: Rpc,
  {
    address,
    abi,
    eventName,
    fromBlock,
    args,
  }: { address: Address; abi: A; eventName: N; fromBlock: number; args?: Readonly<Record<string, unknown>> },
): Promise<GetContractEventsReturnType<A, N, true>> {
  const last = await rpc.call({ what: 'block number' }, (c) => c.getBlockNumber());
  const events: unknown[] = [];
  let size = BigInt(limits.logBlocks);
  for (let from = BigInt(fromBlock); from <= last;) {
    const to = from + size - 1n < last ? from + size - 1n : last;
    try {
      const part = await rpc.call({ what: `events ${eventName}` }, (c) =>
        c.getContractEvents({ address, abi: abi as Abi, eventName: eventName as string, args, fromBlock: from, toBlock: to, strict: true }),
      );
      events.push(...part);
      if (events.length > limits.events)
        throw new ChainError('chain_busy', `more than ${limits.events} events ${eventName} of ${address}; read them from an indexer`);
      from = to + 1n;
    } catch (error) {
      if (!(error instanceof ChainError) || error.code !== 'chain_rpc' || size === 1n) throw error;
      size /= 2n;
    }
  }
  return events as unknown as GetContractEventsReturnType<A, N, true>;
}
