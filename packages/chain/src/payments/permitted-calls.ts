import { type Address } from '@commonweight/protocol';
import { ChainError } from '../errors.ts';
import { lower } from '../lower.ts';
import { type Abi, type Hex, decodeFunctionData } from '../viem.ts';
import { batchSettlementAbi } from './abis.gen.ts';
import { BATCH_SETTLEMENT, ERC3009_COLLECTOR, EXACT_PERMIT2_PROXY, PERMIT2_COLLECTOR, UPTO_PERMIT2_PROXY } from './addresses.ts';

/** A contract call that the x402 library wants to send with our key. */
export interface WantedCall {
  readonly address: string;
  readonly abi: readonly unknown[];
  readonly functionName: string;
  readonly args: readonly unknown[];
  readonly dataSuffix?: Hex;
}

type Config = { readonly token: string };
type Permit = { readonly permitted: { readonly token: string } };
type Row = { readonly voucher: { readonly channel: Config } };

/** Which tokens a call moves, by function of each contract. A function that is not here is refused. */
const tokensOf: Readonly<Record<Address, Readonly<Record<string, (args: readonly unknown[]) => readonly string[]>>>> = {
  [BATCH_SETTLEMENT]: {
    deposit: ([config]) => [(config as Config).token],
    claimWithSignature: ([rows]) => (rows as readonly Row[]).map(({ voucher }) => voucher.channel.token),
    settle: ([, token]) => [token as string],
    refundWithSignature: ([config]) => [(config as Config).token],
  },
  [UPTO_PERMIT2_PROXY]: {
    settle: ([permit]) => [(permit as Permit).permitted.token],
    settleWithPermit: ([, permit]) => [(permit as Permit).permitted.token],
  },
  [EXACT_PERMIT2_PROXY]: {
    settle: ([permit]) => [(permit as Permit).permitted.token],
    settleWithPermit: ([, permit]) => [(permit as Permit).permitted.token],
  },
};

const collectors: readonly string[] = [ERC3009_COLLECTOR, PERMIT2_COLLECTOR];

/**
 * Throws unless the call is one of those that settle a payment in one of `assets`. What a payer sends decides arguments, and could name contracts: without this list a
 * facilitator's key could be led to call any of them.
 */
export function requirePermitted(call: WantedCall, assets: ReadonlySet<Address>): void {
  const refuse = (why: string): never => {
    throw new ChainError('call_refused', `${call.functionName} on ${call.address}: ${why}`, { details: { address: call.address } });
  };
  const address = lower(call.address);
  if (call.dataSuffix !== undefined) refuse('a payment carries no data suffix');
  if (address === BATCH_SETTLEMENT && call.functionName === 'multicall') return requireInner(call, assets);
  if (assets.has(address)) {
    return call.functionName === 'transferWithAuthorization'
      ? undefined
      : refuse('of a token, only transferWithAuthorization is permitted');
  }
  const tokens = tokensOf[address]?.[call.functionName];
  if (tokens === undefined) return refuse('not one of the calls that settle a payment');
  const foreign = tokens(call.args).find((token) => !assets.has(lower(token)));
  if (foreign !== undefined) refuse(`${foreign} is not an asset that this facilitator takes`);
  if (call.functionName === 'deposit' && !collectors.includes(lower(call.args[2] as string)))
    refuse('the collector is none of the canonical ones');
}

/** A refund claims first, in one transaction. */
function requireInner({ args }: WantedCall, assets: ReadonlySet<Address>): void {
  for (const data of args[0] as readonly Hex[]) {
    const inner = decodeFunctionData({ abi: batchSettlementAbi as Abi, data });
    if (inner.functionName === 'multicall') throw new ChainError('call_refused', 'multicall inside of multicall');
    requirePermitted(
      { address: BATCH_SETTLEMENT, abi: batchSettlementAbi, functionName: inner.functionName, args: inner.args ?? [] },
      assets,
    );
  }
}
