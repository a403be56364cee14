import { UPTO_PROXY } from './contracts.ts';
import type { PaymentPayload } from './encode-payment.ts';
import type { Payment } from './payment.ts';

/**
 * A payment in the words of x402, with the fields of its scheme and no other: what a payer wrote beside them reaches nobody who would choose by it
 * which of several signatures to check, to send or to look for.
 */
export function paymentPayload(payment: Payment): PaymentPayload {
  const { from, payTo, amount, asset, signature } = payment;
  if (payment.scheme === 'exact') {
    const { validAfter, validBefore, nonce } = payment;
    const times = { validAfter: String(validAfter), validBefore: String(validBefore) };
    return { signature, authorization: { from, to: payTo, value: String(amount), ...times, nonce } };
  }
  if (payment.scheme === 'upto') {
    const { facilitator, nonce, deadline, validAfter } = payment;
    const permitted = { token: asset, amount: String(amount) };
    const witness = { to: payTo, facilitator, validAfter: String(validAfter) };
    const times = { nonce: String(nonce), deadline: String(deadline) };
    return { signature, permit2Authorization: { from, permitted, spender: UPTO_PROXY, ...times, witness } };
  }
  const { config, channel, maxClaimableAmount, deposit } = payment;
  const voucher = { channelId: channel, maxClaimableAmount: String(maxClaimableAmount), signature };
  if (!deposit) return { type: 'voucher', channelConfig: config, voucher };
  const { salt, signature: depositSignature } = deposit;
  const times = { validAfter: String(deposit.validAfter), validBefore: String(deposit.validBefore) };
  const erc3009Authorization = { ...times, salt, signature: depositSignature };
  const paid = { amount: String(deposit.amount), authorization: { erc3009Authorization } };
  return { type: 'deposit', channelConfig: config, voucher, deposit: paid };
}
