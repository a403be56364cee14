import { type Address } from '@commonweight/protocol';
import { lower } from '../lower.ts';
import { type Hex, decodeFunctionData } from '../viem.ts';
import { exactPermit2ProxyAbi, uptoPermit2ProxyAbi } from './abis.gen.ts';

type Permit = { readonly nonce: bigint };

/** Whose payment a call of one of the Permit2 proxies settles; undefined for another call. */
export function nonceOfSettle(input: Hex): { readonly owner: Address; readonly nonce: bigint } | undefined {
  for (const abi of [uptoPermit2ProxyAbi, exactPermit2ProxyAbi]) {
    try {
      const { functionName, args } = decodeFunctionData({ abi, data: input });
      if (functionName !== 'settle' && functionName !== 'settleWithPermit') continue;
      // (permit2612,) permit, (amount,) owner, witness, signature
      const [permit, owner] = [args.at(functionName === 'settle' ? 0 : 1), args.at(-3)];
      return { owner: lower(owner as string), nonce: (permit as Permit).nonce };
    } catch {
      // not a call of this proxy
    }
  }
  return undefined;
}
