import type { Address, ChannelConfig, ChannelDeposit, Hex, Hex32 } from '@commonweight/protocol';
import { contractCaller } from '../contract-caller.ts';
import { type Rpc } from '../rpc.ts';
import { type Submitter } from '../submitter.ts';
import { batchSettlementAbi } from './abis.gen.ts';
import { encodeAbiParameters } from '../viem.ts';
import { BATCH_SETTLEMENT, ERC3009_COLLECTOR } from './addresses.ts';
import { oldestBlock } from './find-settlement.ts';

/** An x402 payment channel as the chain has it. */
export interface ChannelOnChain {
  /** All deposits, less what went back. */
  readonly balance: bigint;
  readonly totalClaimed: bigint;
  /** Unix seconds of the payer's wish to withdraw; 0: none. */
  readonly withdrawRequestedAt: number;
  readonly refundNonce: bigint;
}

export interface ChannelClaim {
  readonly config: ChannelConfig;
  /** The sum that the payer signed, and his signature. */
  readonly maxClaimableAmount: bigint;
  readonly signature: Hex;
  /** The sum to claim: at most what was signed and what is there. */
  readonly total: bigint;
}

/** A transaction that did something, and its block. */
export interface Mined {
  readonly transaction: Hex32;
  readonly block: bigint;
}

export interface ChannelsClient {
  channel(channelId: Hex32): Promise<ChannelOnChain>;
  /** Brings a signed deposit to its channel. @returns the transaction */
  deposit(config: ChannelConfig, deposit: ChannelDeposit): Promise<Hex32>;
  /** The last claim from a channel, as far back as is looked. */
  lastClaim(channelId: Hex32): Promise<(Mined & { readonly total: bigint }) | undefined>;
  /** Claims by the receiver's authorizer, whose key this client has; no tokens move. @returns the transaction */
  claim(claims: readonly ChannelClaim[]): Promise<Hex32>;
  /** Claimed for a receiver and not yet paid to it. */
  unsettled(receiver: Address, token: Address): Promise<bigint>;
  /** Pays a receiver what was claimed for it. @returns the transaction */
  settle(receiver: Address, token: Address): Promise<Hex32>;
  /** The payer asks for `amount` of what is not claimed; until it is taken the receiver can claim, and takes no more payments by the channel. @returns the transaction */
  startWithdrawal(config: ChannelConfig, amount: bigint): Promise<Hex32>;
  /** After the delay: the payer takes what claims have left of it. @returns the transaction */
  finishWithdrawal(config: ChannelConfig): Promise<Hex32>;
}

export function channelsClient(rpc: Rpc, submitter?: Submitter): ChannelsClient {
  const escrow = contractCaller(rpc, submitter, BATCH_SETTLEMENT, batchSettlementAbi);
  return {
    channel: async (channelId) => {
      const [balance, totalClaimed] = await escrow.read('channels', [channelId]);
      // anybody can name a channel: of one that never held anything there is nothing more to ask
      if (balance === 0n && totalClaimed === 0n) return { balance, totalClaimed, withdrawRequestedAt: 0, refundNonce: 0n };
      const [[, initiatedAt], refundNonce] = await Promise.all([
        escrow.read('pendingWithdrawals', [channelId]),
        escrow.read('refundNonce', [channelId]),
      ]);
      return { balance, totalClaimed, withdrawRequestedAt: initiatedAt, refundNonce };
    },
    deposit: async (config, { amount, validAfter, validBefore, salt, signature }) => {
      const data = encodeAbiParameters(
        [{ type: 'uint256' }, { type: 'uint256' }, { type: 'uint256' }, { type: 'bytes' }],
        [validAfter, validBefore, BigInt(salt), signature],
      );
      return (await escrow.writeBeside('deposit', [config, amount, ERC3009_COLLECTOR, data])).transactionHash;
    },
    lastClaim: async (channelId) => {
      const claims = await rpc.call({ what: 'claims' }, async (c) =>
        c.getContractEvents({
          address: BATCH_SETTLEMENT,
          abi: batchSettlementAbi,
          eventName: 'Claimed',
          args: { channelId },
          fromBlock: await oldestBlock(rpc),
          strict: true,
        }),
      );
      const last = claims.at(-1);
      return last && { transaction: last.transactionHash, block: last.blockNumber, total: last.args.newTotalClaimed };
    },
    claim: async (claims) => {
      const rows = claims.map(({ config, maxClaimableAmount, signature, total }) => ({
        voucher: { channel: config, maxClaimableAmount },
        signature,
        totalClaimed: total,
      }));
      return (await escrow.write('claim', [rows])).transactionHash;
    },
    unsettled: async (receiver, token) => {
      const [claimed, settled] = await escrow.read('receivers', [receiver, token]);
      return claimed - settled;
    },
    settle: async (receiver, token) => (await escrow.write('settle', [receiver, token])).transactionHash,
    startWithdrawal: async (config, amount) => (await escrow.write('initiateWithdraw', [config, amount])).transactionHash,
    finishWithdrawal: async (config) => (await escrow.write('finalizeWithdraw', [config])).transactionHash,
  };
}
