import { type Address } from '@commonweight/protocol';
import type { PaymentPayload, PaymentRequirements } from '@x402/core/types';
import { type Inclusion } from '../confirmations.ts';
import { limits } from '../limits.ts';
import { lower } from '../lower.ts';
import { readEvents } from '../logs.ts';
import { type Rpc } from '../rpc.ts';
import { type Hex, encodeAbiParameters, keccak256, parseAbi, parseEventLogs } from '../viem.ts';
import { testDollarAbi } from './abis.gen.ts';
import { ERC3009_COLLECTOR, EXACT_PERMIT2_PROXY, UPTO_PERMIT2_PROXY } from './addresses.ts';
import { nonceOfSettle } from './proxy-calls.ts';

/** The transfer that a payment caused. */
export interface Settlement extends Inclusion {
  /** Asset units that arrived. */
  readonly amount: bigint;
}

const events = parseAbi([
  'event AuthorizationUsed(address indexed authorizer, bytes32 indexed nonce)',
  'event Transfer(address indexed from, address indexed to, uint256 value)',
]);

interface Exact {
  readonly authorization?: { readonly from: Address; readonly nonce: Hex };
}
interface Permit {
  readonly permit2Authorization?: { readonly from: Address; readonly nonce: string };
}
interface Deposit {
  readonly channelConfig: { readonly payer: Address };
  readonly voucher: { readonly channelId: Hex };
  readonly deposit?: { readonly amount: string; readonly authorization: { readonly erc3009Authorization?: { readonly salt: string } } };
}

/** The transfer that has to have happened. */
interface Expected {
  readonly asset: Address;
  readonly from: Address;
  readonly to: Address;
  readonly value: bigint;
  readonly fromBlock: number;
}

/**
 * Looks for the transaction that settled a payment, whoever sent it: for one that we may have sent before a crash, or that a reorganisation may have dropped.
 * That the payer's nonce is spent is not enough: he can sign another transfer with the same nonce, to himself or of less. Payee and amount are compared as well.
 * Which transfer that is follows from the requirements alone, its amount too, but for a deposit, whose amount is the payer's choice.
 * Undefined when there is none, and for payments that need none (vouchers).
 * @param since - block before which it was not settled; without it the last `limits.settlementBlocks` are looked at
 */
export async function findSettlement(
  rpc: Rpc,
  { payload }: PaymentPayload,
  requirements: PaymentRequirements,
  since?: bigint,
): Promise<Settlement | undefined> {
  const fromBlock = Number(
    since === undefined ? await oldestBlock(rpc) : since > limits.reorganisation ? since - limits.reorganisation : 0n,
  );
  const expected = { asset: lower(requirements.asset), to: lower(requirements.payTo), value: BigInt(requirements.amount), fromBlock };
  const permit2 = requirements.extra['assetTransferMethod'] === 'permit2';
  switch (requirements.scheme) {
    case 'exact':
      if (permit2) return byPermit(rpc, expected, EXACT_PERMIT2_PROXY, payload as object as Permit);
      return byAuthorization(rpc, expected, (payload as object as Exact).authorization);
    case 'upto':
      return byPermit(rpc, expected, UPTO_PERMIT2_PROXY, payload as object as Permit);
    case 'batch-settlement': {
      const { deposit, channelConfig, voucher } = payload as object as Deposit;
      const salt = deposit?.authorization.erc3009Authorization?.salt;
      if (deposit === undefined || salt === undefined) return undefined;
      const nonce = keccak256(encodeAbiParameters([{ type: 'bytes32' }, { type: 'uint256' }], [voucher.channelId, BigInt(salt)]));
      const brought = { ...expected, to: ERC3009_COLLECTOR, value: BigInt(deposit.amount) };
      return byAuthorization(rpc, brought, { from: channelConfig.payer, nonce });
    }
  }
  return undefined;
}

/** The first of the blocks in which a settlement is looked for. */
export const oldestBlock = async (rpc: Rpc): Promise<bigint> => {
  const height = await rpc.call({ what: 'block number' }, (client) => client.getBlockNumber());
  return height > limits.settlementBlocks ? height - limits.settlementBlocks : 0n;
};

/** EIP-3009 tokens say which authorization they used, and then that they moved the money. */
async function byAuthorization(
  rpc: Rpc,
  expected: Omit<Expected, 'from'>,
  authorization: Exact['authorization'],
): Promise<Settlement | undefined> {
  if (authorization === undefined) return undefined;
  const from = lower(authorization.from);
  const { nonce } = authorization;
  const { asset: address, fromBlock } = expected;
  const args = { authorizer: from, nonce };
  const [used] = await readEvents(rpc, { address, abi: events, eventName: 'AuthorizationUsed', args, fromBlock });
  return used && ofTransaction(rpc, used.transactionHash, { ...expected, from }, used.logIndex);
}

/** Permit2 says nothing: the candidates are the payer's transfers to the payee, and their calls name the nonce. */
async function byPermit(
  rpc: Rpc,
  expected: Omit<Expected, 'from'>,
  spender: Address,
  { permit2Authorization }: Permit,
): Promise<Settlement | undefined> {
  if (permit2Authorization === undefined) return undefined;
  const from = lower(permit2Authorization.from);
  const nonce = BigInt(permit2Authorization.nonce);
  const { asset: address, to, value, fromBlock } = expected;
  const transfers = await readEvents(rpc, { address, abi: events, eventName: 'Transfer', args: { from, to }, fromBlock });
  const candidates = transfers.filter(({ args }) => args.value === value);
  // the first: a payment is settled soon after it was accepted
  for (const { transactionHash: hash } of candidates.slice(0, limits.settlementCandidates)) {
    const call = await rpc.call({ what: 'transaction' }, (client) => client.getTransaction({ hash }));
    const settled = lower(call.to ?? '') === spender && nonceOfSettle(call.input);
    if (settled && settled.owner === from && settled.nonce === nonce) return ofTransaction(rpc, hash, { ...expected, from }, -1);
  }
  return undefined;
}

/** The asset's first transfer after a log of the transaction, if it is the expected one. */
async function ofTransaction(rpc: Rpc, hash: Hex, { asset, from, to, value }: Expected, after: number): Promise<Settlement | undefined> {
  const { logs, blockHash, blockNumber } = await rpc.call({ what: 'receipt' }, (client) => client.getTransactionReceipt({ hash }));
  const transfers = parseEventLogs({ abi: testDollarAbi, eventName: 'Transfer', logs });
  const next = transfers.find(({ address, logIndex }) => lower(address) === asset && logIndex > after)?.args;
  if (next === undefined || lower(next.from) !== from || lower(next.to) !== to || next.value !== value) return undefined;
  return { hash, blockHash, blockNumber, amount: value };
}
