import { type Address } from '@commonweight/protocol';
import type { PaymentPayload, PaymentRequirements } from '@x402/core/types';
import { type Inclusion } from '../confirmations.ts';
import { limits } from '../limits.ts';
import { lower } from '../lower.ts';
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
const [authorizationUsed, transfer] = events;

interface Wire {
  readonly authorization?: { readonly from: Address; readonly to: Address; readonly nonce: Hex };
  readonly permit2Authorization?: { readonly from: Address; readonly spender: Address; readonly nonce: string };
  readonly type?: string;
  readonly channelConfig?: { readonly payer: Address };
  readonly voucher?: { readonly channelId: Hex };
  readonly deposit?: { readonly authorization: { readonly erc3009Authorization?: { readonly salt: string } } };
}

/**
 * Looks for the transaction that settled a payment, whoever sent it: for one that we may have sent before a crash, or that a reorganisation may have dropped.
 * Undefined when there is none within the last `limits.settlementBlocks` blocks, and for payments that need none (vouchers).
 */
export async function findSettlement(
  rpc: Rpc,
  { payload }: PaymentPayload,
  requirements: PaymentRequirements,
): Promise<Settlement | undefined> {
  const wire = payload as Wire;
  const asset = lower(requirements.asset);
  if (wire.authorization !== undefined) {
    const { from, to, nonce } = wire.authorization;
    return byAuthorization(rpc, asset, from, to, nonce);
  }
  const salt = wire.deposit?.authorization.erc3009Authorization?.salt;
  if (wire.type === 'deposit' && wire.channelConfig && wire.voucher && salt !== undefined) {
    const nonce = keccak256(encodeAbiParameters([{ type: 'bytes32' }, { type: 'uint256' }], [wire.voucher.channelId, BigInt(salt)]));
    return byAuthorization(rpc, asset, wire.channelConfig.payer, ERC3009_COLLECTOR, nonce);
  }
  return wire.permit2Authorization && byPermit(rpc, asset, wire.permit2Authorization, lower(requirements.payTo));
}

/** The first of the blocks in which a settlement is looked for. */
export const oldestBlock = async (rpc: Rpc): Promise<bigint> => {
  const height = await rpc.call({ what: 'block number' }, (client) => client.getBlockNumber());
  return height > limits.settlementBlocks ? height - limits.settlementBlocks : 0n;
};

/** EIP-3009 tokens say which authorization they used. */
async function byAuthorization(rpc: Rpc, asset: Address, from: Address, to: Address, nonce: Hex): Promise<Settlement | undefined> {
  const fromBlock = await oldestBlock(rpc);
  const [used] = await rpc.call({ what: 'logs' }, (client) =>
    client.getLogs({ address: asset, event: authorizationUsed, args: { authorizer: from, nonce }, fromBlock }),
  );
  return used && ofTransaction(rpc, used.transactionHash, asset, from, to);
}

/** Permit2 says nothing: the candidates are the payer's transfers to the payee, and their calls name the nonce. */
async function byPermit(
  rpc: Rpc,
  asset: Address,
  { from, spender, nonce }: NonNullable<Wire['permit2Authorization']>,
  to: Address,
): Promise<Settlement | undefined> {
  if (![UPTO_PERMIT2_PROXY, EXACT_PERMIT2_PROXY].includes(lower(spender))) return undefined;
  const fromBlock = await oldestBlock(rpc);
  const logs = await rpc.call({ what: 'logs' }, (client) =>
    client.getLogs({ address: asset, event: transfer, args: { from, to }, fromBlock }),
  );
  for (const { transactionHash: hash } of logs.slice(-limits.settlementCandidates).toReversed()) {
    const call = await rpc.call({ what: 'transaction' }, (client) => client.getTransaction({ hash }));
    const settled = lower(call.to ?? '') === lower(spender) && nonceOfSettle(call.input);
    if (settled && settled.owner === lower(from) && settled.nonce === BigInt(nonce)) return ofTransaction(rpc, hash, asset, from, to);
  }
  return undefined;
}

async function ofTransaction(rpc: Rpc, hash: Hex, asset: Address, from: Address, to: Address): Promise<Settlement | undefined> {
  const { logs, blockHash, blockNumber } = await rpc.call({ what: 'receipt' }, (client) => client.getTransactionReceipt({ hash }));
  const transfers = parseEventLogs({ abi: testDollarAbi, eventName: 'Transfer', logs });
  const ours = transfers.find(
    ({ address, args }) => lower(address) === asset && lower(args.from) === lower(from) && lower(args.to) === lower(to),
  );
  return ours && { hash, blockHash, blockNumber, amount: ours.args.value };
}
