import { type Address } from '@commonweight/protocol';
import {
  type Abi,
  type ContractFunctionArgs,
  type ContractFunctionName,
  type ContractFunctionReturnType,
  type TransactionReceipt,
  encodeFunctionData,
} from './viem.ts';
import { ChainError } from './errors.ts';
import { type Rpc } from './rpc.ts';
import { type Submitter } from './submitter.ts';

type View = 'pure' | 'view';
type Change = 'nonpayable' | 'payable';

/** Typed calls of one contract. */
export interface ContractCaller<A extends Abi> {
  read<N extends ContractFunctionName<A, View>>(
    name: N,
    args: ContractFunctionArgs<A, View, N>,
  ): Promise<ContractFunctionReturnType<A, View, N>>;
  /** Simulates first, so that a refusal has a name and costs nothing; then sends and waits until it is mined. */
  write<N extends ContractFunctionName<A, Change>>(
    name: N,
    args: ContractFunctionArgs<A, Change, N>,
    value?: bigint,
  ): Promise<TransactionReceipt>;
  /** The same beside other transactions of the key: for a change that stands on none of them, because many then share a block. */
  writeBeside<N extends ContractFunctionName<A, Change>>(name: N, args: ContractFunctionArgs<A, Change, N>): Promise<TransactionReceipt>;
}

/** @param behind - of contracts that it calls: names for the errors that pass through it */
export function contractCaller<const A extends Abi>(
  rpc: Rpc,
  submitter: Submitter | undefined,
  address: Address,
  abi: A,
  behind: Abi = [],
): ContractCaller<A> {
  // viem's conditional types cannot be resolved while A is open: the arguments are checked at our own signature, and widened here
  const call = (functionName: string, args: unknown): { address: Address; abi: Abi; functionName: string; args: readonly unknown[] } => ({
    address,
    abi: [...abi, ...behind.filter(({ type }) => type === 'error')],
    functionName,
    args: args as readonly unknown[],
  });
  const simulate = async (sender: Submitter, name: string, args: unknown, value?: bigint): Promise<void> => {
    const account = sender.account.address;
    await rpc.call({ what: name }, (client) => client.simulateContract({ ...call(name, args), account, ...(value && { value }) }));
  };
  const writable = (name: string): Submitter => {
    if (!submitter) throw new ChainError('chain_read_only', `${name} is a transaction: connect with a private key`);
    return submitter;
  };
  return {
    read: (name, args) => rpc.call({ what: name }, (client) => client.readContract(call(name, args))) as Promise<never>,
    write: (name, args, value = 0n) => {
      const sender = writable(name);
      return sender.exclusive(async (send) => {
        await simulate(sender, name, args, value);
        return send({ to: address, data: encodeFunctionData(call(name, args)), value });
      });
    },
    writeBeside: async (name, args) => {
      const sender = writable(name);
      await simulate(sender, name, args);
      return sender.send({ to: address, data: encodeFunctionData(call(name, args)) });
    },
  };
}
