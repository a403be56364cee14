import {
  type ChannelsClient,
  ChainError,
  type Facilitator,
  type Rpc,
  type SettlementClient,
  confirmed,
  tokenBalance,
} from '@commonweight/chain';
import {
  type Address,
  type ChannelPayment,
  CommonweightError,
  type ExactPayment,
  type Hex32,
  type Payment,
  type PaymentOffer,
  paymentPayload,
} from '@commonweight/protocol';
import type { Clock } from '../platform/clock.ts';
import { type Due, type PaymentRail, Uncollectible } from './rail.ts';

export interface ChainRailOptions {
  readonly rpc: Rpc;
  readonly node: Address;
  /** Waits for `depth` blocks as well. */
  readonly facilitator: Facilitator;
  readonly channels: ChannelsClient;
  readonly settlement: SettlementClient;
  /** Blocks, its own included, after which a transfer counts. */
  readonly depth: number;
  readonly clock: Clock;
  /** Ends the waiting for blocks. */
  readonly signal: AbortSignal;
}

type Wire = Parameters<Facilitator['verify']>;

/**
 * What was read of a payment and our own offer, in the words of the library. It chooses by fields that exist which signature it looks at: the payer's own
 * JSON never reaches it, and the way in which the money moves is said, not guessed.
 */
const wire = (payment: Payment, offer: PaymentOffer): Wire => {
  const { scheme, network, amount, asset, payTo, maxTimeoutSeconds, extra } = offer;
  const assetTransferMethod = scheme === 'upto' ? 'permit2' : 'eip3009';
  const requirements = { scheme, network, amount, asset, payTo, maxTimeoutSeconds, extra: { ...extra, assetTransferMethod } };
  return [{ x402Version: 2, accepted: requirements, payload: { ...paymentPayload(payment) } }, requirements];
};

/** A node's payments on its chain, through its own facilitator. */
export function chainRail({ rpc, node, facilitator, channels, settlement, depth, clock, signal }: ChainRailOptions): PaymentRail {
  /** A refusal is final when the signature is no longer good; until then the reason may pass. */
  const orUncollectible = async (expires: bigint, settle: () => Promise<Hex32 | undefined>): Promise<Hex32> => {
    try {
      const transaction = await settle();
      if (transaction === undefined)
        throw new CommonweightError('the payment moved nothing', { code: 'payment_not_settled', action: 'retry' });
      return transaction;
    } catch (error) {
      const final = error instanceof ChainError && (error.code === 'payment_refused' || error.code === 'chain_reverted');
      if (final && expires * 1000n <= BigInt(clock.now())) throw new Uncollectible(error.message, { cause: error });
      throw error;
    }
  };
  const throughFacilitator = async (payment: Payment, offer: PaymentOffer, since: bigint | undefined): Promise<Hex32 | undefined> =>
    (await facilitator.settleFinally(...wire(payment, offer), { signal, since }))?.hash;

  /** What was sent before, by this process or by one that was killed, is found and not sent again. */
  const carryThrough = async (
    payment: Payment,
    offer: PaymentOffer,
    since: bigint | undefined,
    send: () => Promise<Hex32>,
  ): Promise<Hex32> => {
    for (;;) {
      const found = await facilitator.find(...wire(payment, offer), since);
      const hash = found?.hash ?? (await send());
      // a block that is taken back takes the transfer with it: then the chain is asked again
      const inclusion = await confirmed(rpc, { hash }, { depth, signal });
      if (inclusion) return inclusion.hash;
    }
  };
  /** Through the splitter, which keeps what no receipt takes for the one who paid. */
  const payExactly = (payment: ExactPayment, offer: PaymentOffer, { modelId, payer, since }: Due): Promise<Hex32> =>
    carryThrough(payment, offer, since, async () => {
      await settlement.createSplitter(node, modelId);
      return settlement.payWithAuthorization(payment.payTo, payment.asset, { ...payment, value: payment.amount }, payer);
    });
  /** Not through the library, which refuses a deposit whose voucher has been overtaken by claims. */
  const bringDeposit = async (payment: ChannelPayment, offer: PaymentOffer, since: bigint | undefined): Promise<Hex32> => {
    const { deposit, config } = payment;
    if (!deposit) throw new Error('this payment has no deposit');
    return carryThrough(payment, offer, since, () => channels.deposit(config, deposit));
  };

  return {
    verify: async (payment, offer) => {
      const { isValid, invalidReason, invalidMessage } = await facilitator.verify(...wire(payment, offer));
      return isValid ? undefined : (invalidReason ?? invalidMessage ?? 'the payment is not valid');
    },
    escrow: (channel) => channels.channel(channel),
    funds: (owner, asset) => tokenBalance(rpc, asset, owner),
    height: () => rpc.call({ what: 'block number' }, (client) => client.getBlockNumber()),
    deposit: (payment, offer, since) => orUncollectible(payment.deposit?.validBefore ?? 0n, () => bringDeposit(payment, offer, since)),
    collect: (payment, offer, due) =>
      payment.scheme === 'exact'
        ? orUncollectible(payment.validBefore, () => payExactly(payment, offer, due))
        : orUncollectible(payment.deadline, () => throughFacilitator(payment, { ...offer, amount: String(due.amount) }, due.since)),
  };
}
