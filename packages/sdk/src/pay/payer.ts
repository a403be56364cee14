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
  toHex,
} from '@commonweight/protocol';
import { PaymentRefused } from '../errors.ts';
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
  /** For everything that this client pays. */
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
  /** The server asks again. @returns whether another payment may do */
  readonly refused: (required: PaymentRequired | undefined) => boolean;
  /** @returns what it cost. @throws Overcharged when more was asked or taken than the registry and the receipt allow */
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
  #spent = 0n;
  #open = 0n;

  constructor(options: WalletOptions, facts: NetworkFacts, platform: Platform) {
    this.#o = options;
    this.#facts = facts;
    this.#platform = platform;
    this.address = addressOfKey(options.privateKey);
    const maxDeposit = options.maxDeposit ?? 10n * options.maxPerRequest;
    this.#channels = new Channels({ key: options.privateKey, maxDeposit, facts, platform });
  }

  /** Charged, and what may still be. */
  get committed(): bigint {
    return this.#spent + this.#open;
  }

  /** @throws PaymentRefused when no offer is one that may be paid. */
  async pay(required: PaymentRequired, { node, modelId }: PaidFor): Promise<SignedPayment> {
    const terms = await this.#facts.terms(node, modelId);
    if (!terms) throw new PaymentRefused(`node ${node} does not sell ${modelId}, says the chain`, 'payment_price');
    const offer = this.#choose(required, node, terms);
    const amount = BigInt(offer.amount);
    if (amount > this.#o.maxPerRequest)
      throw new PaymentRefused(
        `this request may cost ${amount}, at most ${this.#o.maxPerRequest} may be spent on one (maxPerRequest); lower max_tokens`,
        'payment_cap_request',
      );
    if (this.committed + amount > this.#o.maxTotal)
      throw new PaymentRefused(
        `${this.committed} of ${this.#o.maxTotal} (maxTotal) are spent or reserved, this request may cost ${amount}`,
        'payment_cap_total',
      );
    this.#open += amount;
    try {
      return await this.#sign(offer, terms, node);
    } catch (error) {
      this.#open -= amount;
      throw error;
    }
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

  async #sign(offer: PaymentOffer, terms: NodeTerms, node: Address): Promise<SignedPayment> {
    const amount = BigInt(offer.amount);
    let over = false;
    const end = (): boolean => {
      const first = !over;
      if (first) this.#open -= amount;
      over = true;
      return first;
    };
    const channel = offer.scheme === 'batch-settlement' ? await this.#channels.pay(offer, node) : undefined;
    return {
      header: channel?.header ?? this.#single(offer),
      refused: (required) => end() && (channel?.refused(required) ?? false),
      charged: ({ receipt, request }, settlement) => {
        if (!end()) return 0n;
        // until the checks have passed, all of it may be gone
        this.#spent += amount;
        try {
          const maximum = maximumAmount(request, terms);
          if (amount > maximum)
            throw new Overcharged(`expected an offer of at most ${maximum} at the registered prices, the node asked ${amount}`);
          checkSettlement(settlement, receipt, offer);
          channel?.charged(receipt);
        } catch (error) {
          channel?.freeze();
          throw error;
        }
        const cost = offer.scheme === 'exact' ? amount : receiptAmount(receipt);
        this.#spent += cost - amount;
        return cost;
      },
      lost: () => {
        if (!end()) return;
        this.#spent += amount;
        channel?.lost();
      },
    };
  }

  #single(offer: PaymentOffer): string {
    const { now, random } = this.#platform;
    const parts = { nonce: toHex(random(32)), validBefore: now() + offer.maxTimeoutSeconds };
    return offer.scheme === 'exact'
      ? signExactPayment(offer, parts, this.#o.privateKey)
      : signUptoPayment(offer, parts, this.#o.privateKey);
  }
}

const refusals = {
  network: 'payment_network',
  asset: 'payment_asset',
  receiver: 'payment_receiver',
  price: 'payment_price',
  authorizer: 'payment_receiver',
} as const;
