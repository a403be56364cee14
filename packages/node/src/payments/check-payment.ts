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
  const refused =
    payment.scheme === 'batch-settlement' ? checkChannel(payment, offer, now) : (checkTimes(payment, now) ?? checkSingle(payment, offer));
  return refused === undefined ? { offer } : { refused };
}

function checkSingle(payment: Exclude<Payment, ChannelPayment>, { extra }: PaymentOffer): string | undefined {
  if (payment.scheme === 'exact' || payment.facilitator === extra['facilitatorAddress']) return undefined;
  return `facilitator: expected ${String(extra['facilitatorAddress'])}, the payment has ${payment.facilitator}`;
}

function checkChannel(
  { config, channel, maxClaimableAmount, signature, chainId, deposit }: ChannelPayment,
  offer: PaymentOffer,
  now: number,
): string | undefined {
  if (config.receiverAuthorizer !== offer.extra['receiverAuthorizer']) return reasons.authorizer;
  if (config.withdrawDelay !== offer.extra['withdrawDelay']) return reasons.delay;
  // a contract that signs for itself can stop to: the claim of what was delivered would fail, and those beside it
  if (config.payerAuthorizer === ZERO_ADDRESS) return 'payerAuthorizer: expected a key that signs the vouchers, the channel has none';
  if (recoverSigner(voucherDigest({ channelId: channel, maxClaimableAmount }, chainId), signature) !== config.payerAuthorizer)
    return reasons.voucher;
  if (!deposit) return undefined;
  return deposit.amount === 0n ? 'the deposit is empty' : checkTimes(deposit, now);
}

interface Times {
  readonly validAfter: bigint;
  readonly validBefore?: bigint;
  readonly deadline?: bigint;
}

/** What is sent during or after the run has to hold until then. */
function checkTimes({ validAfter, validBefore, deadline }: Times, now: number): string | undefined {
  const until = validBefore ?? deadline ?? 0n;
  const left = paymentLimits.authorizationLeftSeconds;
  if (until < BigInt(now + left)) return `expected an authorization that holds ${left} s more, this one ends at ${until}`;
  return validAfter > BigInt(now) ? `the authorization begins at ${validAfter}` : undefined;
}
