import {
  type ChannelPayment,
  type Payment,
  type PaymentOffer,
  ZERO_ADDRESS,
  networkOf,
  recoverSigner,
  voucherDigest,
} from '@commonweight/protocol';
import { paymentLimits } from '../limits.ts';
import { reasons } from './refusal.ts';

/**
 * What can be said of a payment without asking the chain: that it is one of these offers, holds long enough and, of a channel, that its terms are
 * ours and the voucher is signed.
 * @param now - Unix seconds
 * @returns the offer that it takes, or why not
 */
export function checkPayment(
  payment: Payment,
  offers: readonly PaymentOffer[],
  now: number,
): { readonly offer: PaymentOffer } | { readonly refused: string } {
  const offer = offers.find(({ scheme }) => scheme === payment.scheme);
  if (!offer) return { refused: `scheme ${payment.scheme} is not offered` };
  const pairs = { network: networkOf(payment.chainId), asset: payment.asset, payTo: payment.payTo, amount: String(payment.amount) };
  for (const [field, got] of Object.entries(pairs)) {
    const expected = offer[field as keyof typeof pairs];
    if (got !== expected) return { refused: `${field}: expected ${expected}, the payment has ${got}` };
  }
  const refused = payment.scheme === 'batch-settlement' ? checkChannel(payment, offer) : checkSingle(payment, offer, now);
  return refused === undefined ? { offer } : { refused };
}

function checkSingle(payment: Exclude<Payment, ChannelPayment>, offer: PaymentOffer, now: number): string | undefined {
  const until = payment.scheme === 'exact' ? payment.validBefore : payment.deadline;
  if (until < BigInt(now + paymentLimits.authorizationLeftSeconds))
    return `expected an authorization that holds ${paymentLimits.authorizationLeftSeconds} s more, this one ends at ${until}`;
  if (payment.scheme === 'exact') return payment.validAfter > BigInt(now) ? `the authorization begins at ${payment.validAfter}` : undefined;
  if (payment.facilitator !== offer.extra['facilitatorAddress'])
    return `facilitator: expected ${String(offer.extra['facilitatorAddress'])}, the payment has ${payment.facilitator}`;
  return undefined;
}

function checkChannel(
  { config, channel, maxClaimableAmount, signature, chainId, deposit }: ChannelPayment,
  offer: PaymentOffer,
): string | undefined {
  if (config.receiverAuthorizer !== offer.extra['receiverAuthorizer']) return reasons.authorizer;
  if (config.withdrawDelay !== offer.extra['withdrawDelay']) return reasons.delay;
  if (deposit?.amount === 0n) return 'the deposit is empty';
  // a contract that signs for itself is asked with the deposit's simulation, or by the rail
  if (config.payerAuthorizer === ZERO_ADDRESS) return undefined;
  return recoverSigner(voucherDigest({ channelId: channel, maxClaimableAmount }, chainId), signature) === config.payerAuthorizer
    ? undefined
    : reasons.voucher;
}
