import {
  CommonweightError,
  OfferRefused,
  Overcharged,
  type PaymentOffer,
  type RunPrice,
  ZERO_HEX32,
  checkOffer,
  checkSettlement,
  receiptAmount,
} from '@commonweight/protocol';
import { ReceiptInvalid } from '../check/receipt-invalid.ts';
import type { GatewayLog } from '../log.ts';
import { NodeFailure } from '../network/node-failure.ts';
import type { PaymentDemanded } from '../network/payment-demanded.ts';
import type { Candidate } from '../network/route.ts';
import type { Job } from '../run/job.ts';
import { type Payments, type RequestMoney, type RunPayment, runPayment } from './payments.ts';
import { type PaymentChain, runPrice } from './run-price.ts';
import type { PaidRun, Wallet } from './wallet.ts';
import type { Channel } from './wallet-state.ts';

export interface WalletPaymentsOptions {
  readonly wallet: Wallet;
  readonly chain: PaymentChain;
  readonly log: GatewayLog;
  /** For runs that are not sold. */
  readonly free: Payments;
}

/** x402's reasons after which the same node is worth another try. */
const STALE = 'invalid_batch_settlement_evm_cumulative_amount_mismatch';
const SHORT = 'invalid_batch_settlement_evm_cumulative_exceeds_balance';

/** Why a wallet pays this node nothing, and may well pay another one. */
const unpayable: ReadonlySet<string> = new Set(['channel_frozen', 'deposits_pending']);

/** Pays from the gateway's own wallet: one channel for each node and model. What a node asks is asked of it once, and its terms then used again. */
export class WalletPayments implements Payments {
  readonly #o: WalletPaymentsOptions;
  /** Terms of each node's channels, by node and model. */
  readonly #terms = new Map<string, PaymentOffer>();
  /** What a node asked for a request, where it is less than the registry's prices allow. */
  readonly #asked = new WeakMap<Job, Map<string, bigint>>();

  constructor(options: WalletPaymentsOptions) {
    this.#o = options;
  }

  readonly candidates = async (_: Job, candidates: readonly Candidate[]): Promise<readonly Candidate[]> => candidates;

  readonly begin = async (job: Job, candidate: Candidate): Promise<RunPayment> => {
    const { wallet, chain, free } = this.#o;
    const price = await runPrice(job, candidate, chain);
    if (!price || price.maximum === 0n) return free.begin(job, candidate);
    const key = `${price.node} ${job.model.modelId}`;
    const terms = this.#terms.get(key);
    const asked: Asked = { job, price, key };
    if (!terms || terms.payTo !== price.payTo || terms.asset !== price.asset) return this.#ask(asked);
    const amount = this.#asked.get(job)?.get(key) ?? price.maximum;
    const offer = { ...terms, amount: String(amount) };
    const channel = await wallet.channel(price.node, job.model.modelId, offer);
    const paid = await this.#pay(channel, offer, amount);
    return this.#paid(paid, offer, asked);
  };

  /** The first request to a node is not paid: its answer says how to. */
  #ask(asked: Asked): RunPayment {
    const money = { channel: ZERO_HEX32, cumulativeLimit: String(asked.price.maximum) };
    return runPayment(money, { demanded: async (demand) => this.#learn(demand, asked) !== undefined });
  }

  async #pay(channel: Channel, offer: PaymentOffer, maximum: bigint): Promise<PaidRun> {
    try {
      return await this.#o.wallet.pay(channel, offer, maximum);
    } catch (error) {
      if (error instanceof CommonweightError && unpayable.has(error.code)) throw new NodeFailure('refused', error.message, error);
      throw error;
    }
  }

  #paid(paid: PaidRun, offer: PaymentOffer, asked: Asked): RunPayment {
    const { wallet, log } = this.#o;
    const { price } = asked;
    const { channel } = paid;
    const arrived = (): void => {
      if (paid.deposits) wallet.depositArrived(channel);
    };
    const over = async (how: Promise<void>): Promise<void> => {
      await how;
      arrived();
    };
    // what ends beside this run may be counted before it: its limit is what lies in the channel, and vouchers bound what can be taken
    const money: RequestMoney = { channel: channel.id, cumulativeLimit: String(paid.balance) };
    return runPayment(money, {
      header: paid.header,
      accepted: arrived,
      released: () => over(wallet.released(paid)),
      lost: () => over(wallet.lost(paid)),
      demanded: async (demand) => {
        await wallet.released(paid);
        try {
          return await this.#retry(demand, paid, offer, asked);
        } finally {
          arrived();
        }
      },
      charged: async (receipt, settlement) => {
        arrived();
        const amount = receiptAmount(receipt);
        try {
          checkSettlement(settlement, receipt, offer);
          await wallet.charged(paid, amount, receipt.cumulativeAmount);
        } catch (error) {
          if (!(error instanceof Overcharged)) throw error;
          log.warn('payment_refused', { node: price.node, reason: 'overcharged' });
          await wallet.lost(paid);
          if (!channel.frozen) await wallet.freeze(channel);
          throw new ReceiptInvalid('settlement', error.message);
        }
        log.info('paid', { node: price.node, channel: channel.id, amount: String(amount), sum: String(receipt.cumulativeAmount) });
        return undefined;
      },
    });
  }

  /** A paid request was answered with 402 again. @returns whether another payment may do */
  async #retry(demand: PaymentDemanded, { channel, deposits }: PaidRun, paidOffer: PaymentOffer, asked: Asked): Promise<boolean> {
    const { wallet, log } = this.#o;
    const { error } = demand.required;
    const offer = this.#learn(demand, asked);
    // whether a deposit was used only the chain knows
    if (deposits || error === SHORT) await wallet.readBalance(channel);
    if (!offer) return false;
    if (error === SHORT || !sameTerms(offer, paidOffer)) return true;
    if (error !== STALE) return false;
    const sum = chargedSum(offer);
    if (sum !== undefined && (await wallet.corrected(channel, sum))) return true;
    log.warn('payment_refused', { node: asked.price.node, reason: 'correction' });
    return false;
  }

  /** @throws NodeFailure when the offer is not what the node may ask. */
  #learn({ required }: PaymentDemanded, { job, price, key }: Asked): PaymentOffer | undefined {
    const offer = required.accepts.find(({ scheme }) => scheme === 'batch-settlement');
    if (!offer) return undefined;
    try {
      checkOffer(offer, price);
    } catch (error) {
      if (!(error instanceof OfferRefused)) throw error;
      this.#o.log.warn('payment_refused', { node: price.node, reason: error.refusal });
      throw new NodeFailure('refused', error.message, error);
    }
    const { channelState: _, voucherState: __, ...extra } = offer.extra;
    this.#terms.set(key, { ...offer, extra });
    const amounts = this.#asked.get(job) ?? new Map<string, bigint>();
    this.#asked.set(job, amounts.set(key, BigInt(offer.amount)));
    return offer;
  }
}

/** One job at one node. */
interface Asked {
  readonly job: Job;
  readonly price: RunPrice;
  /** Of the node's terms for the model. */
  readonly key: string;
}

const sameTerms = (a: PaymentOffer, b: PaymentOffer): boolean =>
  a.amount === b.amount && ['withdrawDelay', 'name', 'version'].every((field) => a.extra[field] === b.extra[field]);

/** The sum that a node says a voucher has to be signed upon. */
function chargedSum(offer: PaymentOffer | undefined): bigint | undefined {
  const state = offer?.extra['channelState'];
  const sum = typeof state === 'object' && state !== null ? (state as Record<string, unknown>)['chargedCumulativeAmount'] : undefined;
  return typeof sum === 'string' && /^[0-9]{1,39}$/.test(sum) ? BigInt(sum) : undefined;
}
