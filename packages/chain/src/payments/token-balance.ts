import type { Address } from '@commonweight/protocol';
import { tokenAbi } from '../abis.gen.ts';
import { contractCaller } from '../contract-caller.ts';
import { type Rpc } from '../rpc.ts';

/** What somebody has of a token, in its smallest unit. */
export const tokenBalance = (rpc: Rpc, token: Address, owner: Address): Promise<bigint> =>
  contractCaller(rpc, undefined, token, tokenAbi).read('balanceOf', [owner]);
