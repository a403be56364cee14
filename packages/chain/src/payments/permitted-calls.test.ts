import { describe, expect, test } from 'vitest';
import { type Abi, encodeFunctionData } from '../viem.ts';
import { batchSettlementAbi } from './abis.gen.ts';
import {
  BATCH_SETTLEMENT,
  ERC3009_COLLECTOR,
  EXACT_PERMIT2_PROXY,
  MULTICALL3,
  PERMIT2,
  PERMIT2_COLLECTOR,
  UPTO_PERMIT2_PROXY,
} from './addresses.ts';
import { type WantedCall, requirePermitted } from './permitted-calls.ts';

const DOLLAR = `0x${'d0'.repeat(20)}` as const;
const FOREIGN = `0x${'f0'.repeat(20)}` as const;
const SOMEBODY = `0x${'52'.repeat(20)}` as const;
const assets = new Set([DOLLAR]);

const config = (token: string) => ({
  payer: SOMEBODY,
  payerAuthorizer: SOMEBODY,
  receiver: SOMEBODY,
  receiverAuthorizer: SOMEBODY,
  token,
  withdrawDelay: 900,
  salt: `0x${'00'.repeat(32)}`,
});
const permit = (token: string) => ({ permitted: { token, amount: 1n }, nonce: 1n, deadline: 1n });
const row = (token: string) => ({ voucher: { channel: config(token), maxClaimableAmount: 1n }, signature: '0x', totalClaimed: 1n });
const call = (address: string, functionName: string, ...args: unknown[]): WantedCall => ({ address, abi: [], functionName, args });
const inner = (functionName: string, ...args: unknown[]) => encodeFunctionData({ abi: batchSettlementAbi as Abi, functionName, args });

describe('what settles a payment in our asset is permitted', () => {
  test.each([
    ['exact', call(DOLLAR, 'transferWithAuthorization')],
    ['exact by Permit2', call(EXACT_PERMIT2_PROXY, 'settle', permit(DOLLAR))],
    ['exact by Permit2 with its approval', call(EXACT_PERMIT2_PROXY, 'settleWithPermit', {}, permit(DOLLAR))],
    ['upto', call(UPTO_PERMIT2_PROXY, 'settle', permit(DOLLAR))],
    ['upto with its approval', call(UPTO_PERMIT2_PROXY, 'settleWithPermit', {}, permit(DOLLAR))],
    ['a deposit', call(BATCH_SETTLEMENT, 'deposit', config(DOLLAR), 1n, ERC3009_COLLECTOR)],
    ['a deposit by Permit2', call(BATCH_SETTLEMENT, 'deposit', config(DOLLAR), 1n, PERMIT2_COLLECTOR)],
    ['claims', call(BATCH_SETTLEMENT, 'claimWithSignature', [row(DOLLAR), row(DOLLAR)])],
    ['the payment of claims', call(BATCH_SETTLEMENT, 'settle', SOMEBODY, DOLLAR)],
    ['a refund after a claim', call(BATCH_SETTLEMENT, 'multicall', [inner('claimWithSignature', [row(DOLLAR)], '0x')])],
  ])('%s', (_, wanted) => {
    expect(() => requirePermitted(wanted, assets)).not.toThrow();
  });
});

describe('everything else is refused', () => {
  test.each([
    ['another contract', call(SOMEBODY, 'settle', permit(DOLLAR))],
    ['another function of the token', call(DOLLAR, 'transfer', SOMEBODY, 1n)],
    ['another token', call(FOREIGN, 'transferWithAuthorization')],
    ['a proxy that would move another token', call(UPTO_PERMIT2_PROXY, 'settle', permit(FOREIGN))],
    ['a deposit of another token', call(BATCH_SETTLEMENT, 'deposit', config(FOREIGN), 1n, ERC3009_COLLECTOR)],
    ['a deposit by a collector of the payer', call(BATCH_SETTLEMENT, 'deposit', config(DOLLAR), 1n, SOMEBODY)],
    ['claims of which one is of another token', call(BATCH_SETTLEMENT, 'claimWithSignature', [row(DOLLAR), row(FOREIGN)])],
    ['withdrawals', call(BATCH_SETTLEMENT, 'initiateWithdraw', config(DOLLAR), 1n)],
    ['Permit2 itself', call(PERMIT2, 'invalidateUnorderedNonces', 0n, 1n)],
    ['calls through Multicall3', call(MULTICALL3, 'aggregate3', [])],
    ['something inside of a multicall', call(BATCH_SETTLEMENT, 'multicall', [inner('settle', SOMEBODY, FOREIGN)])],
    ['a multicall inside of a multicall', call(BATCH_SETTLEMENT, 'multicall', [inner('multicall', [])])],
    ['data behind the arguments', { ...call(BATCH_SETTLEMENT, 'settle', SOMEBODY, DOLLAR), dataSuffix: '0x00' as const }],
  ])('%s', (_, wanted) => {
    expect(() => requirePermitted(wanted, assets)).toThrow(expect.objectContaining({ code: 'call_refused' }));
  });
});
