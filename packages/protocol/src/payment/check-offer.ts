import type { Address } from '../bytes.ts';
import { CommonweightError } from '../errors.ts';
import { limits } from '../limits.ts';
import { type PaymentOffer, networkOf } from './requirements.ts';

/** What a node may ask for one run: from the chain and the request alone, never from the node. */
export interface RunPrice {
  readonly node: Address;
  readonly chainId: number;
  readonly asset: Address;
  /** At the registered prices. */
  readonly maximum: bigint;
  /** The splitter of the node and the model. */
  readonly payTo: Address;
}

export type OfferRefusal = 'network' | 'asset' | 'receiver' | 'price' | 'authorizer' | 'timeout' | 'delay';

/** A node asks for more, for another receiver or in another asset than it may. Nothing was signed. */
export class OfferRefused extends CommonweightError {
  override readonly name = 'OfferRefused';
  readonly refusal: OfferRefusal;

  constructor(refusal: OfferRefusal, what: string, expected: unknown, got: unknown) {
    super(`expected ${what} ${String(expected)}, the node's offer has ${String(got)}`, { code: `offer_${refusal}`, action: 'stop' });
    this.refusal = refusal;
  }
}

/** Compares an offer with what the node may ask (SPEC section 25.2). @throws OfferRefused */
export function checkOffer(offer: PaymentOffer, price: RunPrice): void {
  const same = (refusal: OfferRefusal, what: string, expected: string, got: unknown): void => {
    if (got !== expected) throw new OfferRefused(refusal, what, expected, got);
  };
  same('network', 'the network', networkOf(price.chainId), offer.network);
  same('asset', 'the registered asset', price.asset, offer.asset);
  same('receiver', 'the splitter of node and model,', price.payTo, offer.payTo);
  if (BigInt(offer.amount) > price.maximum)
    throw new OfferRefused('price', 'at the registered prices at most', price.maximum, offer.amount);
  // what is signed and not used hangs over the payer until it expires
  if (offer.maxTimeoutSeconds > limits.authorizationSeconds)
    throw new OfferRefused(
      'timeout',
      'a payment that is valid for at most',
      `${limits.authorizationSeconds} s`,
      `${offer.maxTimeoutSeconds} s`,
    );
  if (offer.scheme !== 'batch-settlement') return;
  // whoever may claim and refund; another one could keep the channel's money from being claimed, and from being given back
  same('authorizer', "the node's operator as receiverAuthorizer,", price.node, String(offer.extra['receiverAuthorizer']).toLowerCase());
  const delay = offer.extra['withdrawDelay'];
  if (!Number.isSafeInteger(delay) || (delay as number) < 0 || (delay as number) > limits.withdrawDelay)
    throw new OfferRefused('delay', 'a delay of withdrawals of at most', `${limits.withdrawDelay} s`, delay);
}
