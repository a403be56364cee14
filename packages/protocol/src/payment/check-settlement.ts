import { CommonweightError } from '../errors.ts';
import { type Receipt, receiptAmount } from '../receipt.ts';
import type { PaymentOffer } from './requirements.ts';
import { type PaymentResponse, parsePaymentResponse } from './response.ts';

/** A node took more than its receipt says, or does not say what it took. */
export class Overcharged extends CommonweightError {
  override readonly name = 'Overcharged';
  constructor(message: string) {
    super(message, { code: 'payment_overcharged', action: 'stop' });
  }
}

/**
 * Compares what a node says that it took with its own receipt (SPEC section 25.2). A payment that is still on its way, or that failed, is the node's affair.
 * @param settlement - value of `PAYMENT-RESPONSE`.
 * @param offer - the one that was taken.
 * @throws Overcharged
 */
export function checkSettlement(settlement: string | undefined, receipt: Receipt, offer: Pick<PaymentOffer, 'scheme' | 'amount'>): void {
  if (settlement === undefined) throw new Overcharged('expected what was taken with the receipt of a paid run, nothing came');
  const { success, amount: taken, extra } = read(settlement);
  if (!success) return;
  const same = (what: string, expected: bigint, got: unknown): void => {
    if (got !== undefined && got !== String(expected))
      throw new Overcharged(`expected ${what} of ${expected}, the node says ${JSON.stringify(got)}`);
  };
  // a surplus of `exact` goes back through the splitter
  if (offer.scheme === 'exact') return same('a payment', BigInt(offer.amount), taken);
  const billed = receiptAmount(receipt);
  if (offer.scheme === 'upto') return same('a payment', billed, taken);
  same('a charge', billed, extra?.['chargedAmount']);
  const state = extra?.['channelState'];
  if (typeof state === 'object' && state !== null)
    same('a sum on the channel', receipt.cumulativeAmount, (state as Record<string, unknown>)['chargedCumulativeAmount']);
}

function read(settlement: string): PaymentResponse {
  try {
    return parsePaymentResponse(settlement);
  } catch (error) {
    if (!(error instanceof CommonweightError)) throw error;
    throw new Overcharged(`the settlement cannot be read: ${error.message}`);
  }
}
