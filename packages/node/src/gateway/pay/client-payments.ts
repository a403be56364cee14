import {
  CommonweightError,
  OfferRefused,
  Overcharged,
  type Payment,
  type Receipt,
  type RunPrice,
  ZERO_HEX32,
  checkOffer,
  checkSettlement,
  parsePaymentSignature,
} from '@commonweight/protocol';
import { gatewayLimits as limits } from '../../limits.ts';
import { ApiError, invalid } from '../api-error.ts';
import { ReceiptInvalid } from '../check/receipt-invalid.ts';
import type { GatewayLog } from '../log.ts';
import { NodeFailure } from '../network/node-failure.ts';
import type { PaymentDemanded } from '../network/payment-demanded.ts';
import type { Candidate } from '../network/route.ts';
import type { Job } from '../run/job.ts';
import { type Payments, type RunPayment, runPayment } from './payments.ts';
import { type PaymentChain, runPrice } from './run-price.ts';

export interface ClientPaymentsOptions {
  readonly chain: PaymentChain;
  readonly log: GatewayLog;
  /** For runs that are not sold. */
  readonly free: Payments;
  /** The client's `PAYMENT-SIGNATURE`; undefined when it has not paid yet. */
  readonly header: string | undefined;
}

/** One client's payment, passed on: the gateway has no money in it. The node's 402 goes to the client, the client's payment to the node that it names. */
export class ClientPayments implements Payments {
  readonly #o: ClientPaymentsOptions;
  readonly #header: string | undefined;
  readonly #payment: Payment | undefined;
  #used = false;

  /** @throws ApiError 400 when the header cannot be read. */
  constructor(options: ClientPaymentsOptions) {
    this.#o = options;
    this.#header = options.header;
    try {
      this.#payment = options.header === undefined ? undefined : parsePaymentSignature(options.header);
    } catch (error) {
      if (!(error instanceof CommonweightError)) throw error;
      throw invalid(error.field ?? 'payment-signature', error.message, 'payment_malformed');
    }
  }

  readonly candidates = async (job: Job, candidates: readonly Candidate[]): Promise<readonly Candidate[]> => {
    const payment = this.#payment;
    if (!payment) return candidates;
    // `payTo` says whose offer was taken
    const prices = await Promise.all(candidates.map((candidate) => runPrice(job, candidate, this.#o.chain)));
    const named = candidates.filter((_, i) => prices[i]?.payTo === payment.payTo);
    if (named.length > 0) return named;
    throw new ApiError(
      `the payment is to ${payment.payTo}: no node that serves this model is paid there; ask for a new offer without a payment`,
      {
        status: 402,
        code: 'payment_receiver',
        param: 'payment-signature',
      },
    );
  };

  readonly begin = async (job: Job, candidate: Candidate): Promise<RunPayment> => {
    const price = await runPrice(job, candidate, this.#o.chain);
    if (!price || price.maximum === 0n) return this.#o.free.begin(job, candidate);
    const payment = this.#payment;
    if (!payment) {
      const money = { channel: ZERO_HEX32, cumulativeLimit: String(price.maximum) };
      return runPayment(money, { demanded: (demand) => this.#pass(demand, price) });
    }
    if (this.#used) throw new NodeFailure('refused', 'a payment is passed on once');
    this.#used = true;
    const { scheme } = payment;
    const money = { channel: payment.channel, cumulativeLimit: String(limitOf(payment, price)) };
    return runPayment(money, {
      header: this.#header,
      demanded: (demand) => this.#pass(demand, price),
      charged: async (receipt, settlement) => {
        this.#compare(settlement, receipt, payment, price);
        this.#o.log.info('paid', { node: price.node, channel: payment.channel, scheme, sum: String(receipt.cumulativeAmount) });
        return settlement;
      },
    });
  };

  /** @throws ReceiptInvalid when the node took more than its receipt says. */
  #compare(settlement: string | undefined, receipt: Receipt, { scheme, amount }: Payment, { node }: RunPrice): void {
    try {
      checkSettlement(settlement, receipt, { scheme, amount: String(amount) });
    } catch (error) {
      if (!(error instanceof Overcharged)) throw error;
      this.#o.log.warn('payment_refused', { node, reason: 'overcharged' });
      throw new ReceiptInvalid('settlement', error.message);
    }
  }

  /** @throws ApiError 402 with the node's offers as they came; NodeFailure when one of them is not what the node may ask. */
  async #pass({ header, required }: PaymentDemanded, price: RunPrice): Promise<never> {
    try {
      for (const offer of required.accepts) checkOffer(offer, price);
    } catch (error) {
      if (!(error instanceof OfferRefused)) throw error;
      this.#o.log.warn('payment_refused', { node: price.node, reason: error.refusal });
      throw new NodeFailure('refused', error.message, error);
    }
    // the header is passed on whole, and its reader may know what we do not: "eip155:*", say, is every chain to some clients
    if (required.leftOut > 0) {
      this.#o.log.warn('payment_refused', { node: price.node, reason: 'unknown_offer' });
      throw new NodeFailure(
        'refused',
        `expected offers that can be checked, ${required.leftOut} of the node's are of an unknown scheme or network`,
      );
    }
    throw new ApiError(`payment required: ${required.error ?? 'see the header PAYMENT-REQUIRED'}`, {
      status: 402,
      code: 'payment_required',
      headers: { 'payment-required': header, 'cache-control': 'no-store' },
    });
  }
}

/** A payer's channel may be charged for runs that begin later and end sooner; what can be taken is bounded by his vouchers. */
const limitOf = (payment: Payment, { maximum }: RunPrice): bigint =>
  payment.scheme === 'batch-settlement' ? payment.maxClaimableAmount + maximum * BigInt(limits.parallelRuns) : payment.amount;
