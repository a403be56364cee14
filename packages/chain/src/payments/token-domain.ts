import type { Address } from '@commonweight/protocol';
import { ChainError } from '../errors.ts';
import { type Rpc } from '../rpc.ts';
import { testDollarAbi } from './abis.gen.ts';

/** Name and version of a token's EIP-712 domain: payers sign transfers under it. */
export async function tokenDomain(rpc: Rpc, token: Address): Promise<{ readonly name: string; readonly version: string }> {
  const read = (functionName: 'name' | 'version') =>
    rpc.call({ what: `${functionName} of token` }, (c) => c.readContract({ address: token, abi: testDollarAbi, functionName }));
  try {
    const [name, version] = await Promise.all([read('name'), read('version')]);
    return { name, version };
  } catch (cause) {
    if (cause instanceof ChainError && cause.retryable) throw cause;
    throw new ChainError(
      'wrong_chain',
      `expected a token with signed transfers (EIP-3009: name and version) at ${token}; payments need one`,
      {
        cause,
      },
    );
  }
}
