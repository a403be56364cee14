import {
  type Address,
  type Bundle,
  type Hex32,
  OfferRefused,
  Overcharged,
  type PaymentOffer,
  type PaymentRequired,
  addressOfKey,
  checkOffer,
  checkSettlement,
  maximumAmount,
  networkOf,
  receiptAmount,
  signExactPayment,
  signUptoPayment,
  singleChannel,
  toHex,
} from '@commonweight/protocol';
import { AnswerRefused, PaymentRefused } from '../errors.ts';
import type { NetworkFacts, NodeTerms } from '../facts.ts';
import type { Platform } from '../platform/web.ts';
import { Channels } from './channels.ts';

/** Amounts in the asset's smallest unit. */
export interface WalletOptions {
  /** Signs payments; its account holds the money. */
  readonly privateKey: Hex32;
  /** The only asset that is paid in. */
  readonly asset: Address;
  readonly maxPerRequest: bigint;
  /** For everything that this client signs: a single payment counts whole until a receipt says less, a channel by its highest voucher. */
  readonly maxTotal: bigint;
  /** Uncharged money in one channel; default ten times `maxPerRequest`. */
  readonly maxDeposit?: bigint;
  /** Best first. Default: channels, then single payments. `upto` needs an approval of Permit2, once. */
  readonly schemes?: readonly PaymentOffer['scheme'][];
}

/** Who was asked for what, according to the caller himself. */
export interface PaidFor {
  readonly node: Address;
  readonly modelId: Hex32;
}

/** One payment that was signed. */
export interface SignedPayment {
  readonly header: string;
  /** The server has taken it, what it costs comes later. */
  readonly accepted: () => void;
  /** The server asks again. @returns whether another payment may do */
  readonly refused: (required: PaymentRequired | undefined) => Promise<boolean>;
  /** @returns what it cost. @throws AnswerRefused when the answer was not paid for by it, Overcharged when more was asked or taken than the registry and the receipt allow */
  readonly charged: (bundle: Bundle, settlement: string | undefined) => bigint;
  /** Nobody knows what was taken. */
  readonly lost: () => void;
}

/** Pays for one caller: compares every offer with the chain and the caller's caps before it signs, and every settlement with its receipt afterwards. */
export class Payer {
  readonly address: Address;
  readonly #o: WalletOptions;
  readonly #facts: NetworkFacts;
  readonly #platform: Platform;
  readonly #channels: Channels;
  /** Nodes that took more than they may. */
  readonly #shunned = new Set<Address>();
  /** By single payments. */
  #spent = 0n;

  constructor(options: WalletOptions, facts: NetworkFacts, platform: Platform) {
    this.#o = options;
    this.#facts = facts;
    this.#platform = platform;
    this.address = addressOfKey(options.privateKey);
    const maxDeposit = options.maxDeposit ?? 10n * options.maxPerRequest;
    this.#channels = new Channels({ key: options.privateKey, maxDeposit, facts, platform });
  }

  /** Taken, and what may still be: whatever was signed and no receipt has made smaller. */
  get committed(): bigint {
    return this.#spent + this.#channels.committed;
  }

  /** @throws PaymentRefused when no offer is one that may be paid. */
  async pay(required: PaymentRequired, { node, modelId }: PaidFor): Promise<SignedPayment> {
    const terms = await this.#facts.terms(node, modelId);
    if (!terms) throw new PaymentRefused(`node ${node} does not sell ${modelId}, says the chain`, 'payment_price');
    if (this.#shunned.has(node))
      throw new PaymentRefused(`nothing more is paid to node ${node}: it took more than it may`, 'payment_price');
    const offer = this.#choose(required, node, terms);
    const amount = BigInt(offer.amount);
    if (amount > this.#o.maxPerRequest)
      throw new PaymentRefused(
        `this request may cost ${amount}, at most ${this.#o.maxPerRequest} may be spent on one (maxPerRequest); lower max_tokens`,
        'payment_cap_request',
      );
    return offer.scheme === 'batch-settlement' ? this.#byChannel(offer, terms, node) : this.#single(offer, offer.scheme, terms, node);
  }

  #choose(required: PaymentRequired, node: Address, { asset, payTo }: NodeTerms): PaymentOffer {
    if (asset !== this.#o.asset)
      throw new PaymentRefused(`expected prices in ${this.#o.asset}, the node is paid in ${asset}`, 'payment_asset');
    const { schemes = ['batch-settlement', 'exact'] } = this.#o;
    const offers = schemes.flatMap((scheme) => required.accepts.filter((offer) => offer.scheme === scheme));
    const [offer] = offers;
    if (!offer) {
      throw new PaymentRefused(
        `none of ${schemes.join(', ')} is offered on ${networkOf(this.#facts.chainId)}${required.error === undefined ? '' : ` (${required.error})`}`,
        'payment_not_possible',
      );
    }
    try {
      // how many tokens the prompt has is not known here: the amount is held against the receipt's request afterwards, and against the caps now
      checkOffer(offer, { node, chainId: this.#facts.chainId, asset, payTo, maximum: BigInt(offer.amount) });
    } catch (error) {
      if (!(error instanceof OfferRefused)) throw error;
      throw new PaymentRefused(error.message, refusals[error.refusal]);
    }
    return offer;
  }

  #requireRoom(added: bigint): void {
    if (this.committed + added <= this.#o.maxTotal) return;
    throw new PaymentRefused(
      `${this.committed} of ${this.#o.maxTotal} (maxTotal) are spent or signed for, this request may add ${added}`,
      'payment_cap_total',
    );
  }

  async #byChannel(offer: PaymentOffer, terms: NodeTerms, node: Address): Promise<SignedPayment> {
    const run = await this.#channels.pay(offer, node, (added) => this.#requireRoom(added));
    const first = once();
    return {
      header: run.header,
      accepted: run.accepted,
      refused: async (required) => first() && run.refused(required),
      charged: (bundle, settlement) => {
        requirePaidBy(bundle, offer, run.channel);
        if (!first()) return 0n;
        try {
          this.#compare(bundle, settlement, offer, terms, node);
          run.charged(bundle.receipt);
        } catch (error) {
          run.lost();
          this.#shunned.add(node);
          throw error;
        }
        return receiptAmount(bundle.receipt);
      },
      lost: () => void (first() && run.lost()),
    };
  }

  #single(offer: PaymentOffer, scheme: 'exact' | 'upto', terms: NodeTerms, node: Address): SignedPayment {
    const amount = BigInt(offer.amount);
    this.#requireRoom(amount);
    const { now, random } = this.#platform;
    const parts = { nonce: toHex(random(32)), validBefore: now() + offer.maxTimeoutSeconds };
    const sign = scheme === 'exact' ? signExactPayment : signUptoPayment;
    const header = sign(offer, parts, this.#o.privateKey);
    // whoever has the signature can use it, whatever is said of it afterwards
    this.#spent += amount;
    const first = once();
    return {
      header,
      accepted: () => undefined,
      refused: async () => {
        first();
        return false;
      },
      charged: (bundle, settlement) => {
        requirePaidBy(bundle, offer, singleChannel(this.address, offer.asset, parts.nonce));
        if (!first()) return 0n;
        this.#compare(bundle, settlement, offer, terms, node);
        const cost = scheme === 'exact' ? amount : receiptAmount(bundle.receipt);
        this.#spent -= amount - cost;
        return cost;
      },
      lost: () => void first(),
    };
  }

  /** @throws Overcharged; the node gets nothing more then. */
  #compare({ request, receipt }: Bundle, settlement: string | undefined, offer: PaymentOffer, terms: NodeTerms, node: Address): void {
    try {
      const maximum = maximumAmount(request, terms);
      if (BigInt(offer.amount) > maximum)
        throw new Overcharged(`expected an offer of at most ${maximum} at the registered prices, the node asked ${offer.amount}`);
      checkSettlement(settlement, receipt, offer);
    } catch (error) {
      this.#shunned.add(node);
      throw error;
    }
  }
}

/** A payment has one outcome: the first that is told. */
function once(): () => boolean {
  let over = false;
  return () => {
    const first = !over;
    over = true;
    return first;
  };
}

/** An answer to somebody else's payment, or to an earlier one, is none to this one. */
function requirePaidBy({ request }: Bundle, { asset }: PaymentOffer, channel: Hex32): void {
  if (request.channel !== channel || request.asset !== asset)
    throw new AnswerRefused(
      `expected an answer to the payment ${channel} in ${asset}, the signed request is paid by ${request.channel} in ${request.asset}`,
      'another_payment',
    );
}

const refusals = {
  network: 'payment_network',
  asset: 'payment_asset',
  receiver: 'payment_receiver',
  price: 'payment_price',
  authorizer: 'payment_receiver',
  timeout: 'payment_terms',
  delay: 'payment_terms',
} as const;
