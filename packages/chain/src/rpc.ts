import { type Address } from '@commonweight/protocol';
import { type ViemChain, type Hex, type PublicClient, createPublicClient, defineChain } from './viem.ts';
import { type ErrorContext, toChainError } from './rpc-error.ts';
import { rpcTransport } from './rpc-transport.ts';

/** A JSON-RPC endpoint of one chain. Every call ends within `limits.rpcTimeout`, and fails with a ChainError. */
export interface Rpc {
  readonly url: string;
  readonly chain: ViemChain;
  readonly client: PublicClient;
  /** Runs a call of `client`, its errors made ours. */
  call<T>(context: ErrorContext, run: (client: PublicClient) => Promise<T>): Promise<T>;
  readonly balance: (address: Address) => Promise<bigint>;
  readonly hasCode: (address: Address) => Promise<boolean>;
}

export function connectRpc(url: string, chainId: number): Rpc {
  const chain = defineChain({
    id: chainId,
    name: `chain ${chainId}`,
    nativeCurrency: { name: 'Ether', symbol: 'ETH', decimals: 18 },
    rpcUrls: { default: { http: [url] } },
  });
  const client: PublicClient = createPublicClient({
    chain,
    transport: rpcTransport(url),
    cacheTime: 0,
  });
  const call = async <T>(context: ErrorContext, run: (client: PublicClient) => Promise<T>): Promise<T> => {
    try {
      return await run(client);
    } catch (error) {
      throw toChainError(error, { url, ...context });
    }
  };
  return {
    url,
    chain,
    client,
    call,
    balance: (address) => call({ what: 'balance' }, (c) => c.getBalance({ address })),
    hasCode: (address) =>
      call({ what: 'code' }, async (c) => {
        const code: Hex | undefined = await c.getCode({ address });
        return code !== undefined && code !== '0x';
      }),
  };
}
