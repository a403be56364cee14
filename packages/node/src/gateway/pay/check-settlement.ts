import { CommonweightError, type PaymentScheme, type Receipt, parsePaymentResponse, receiptAmount } from '@commonweight/protocol';
import { ReceiptInvalid } from '../check/receipt-invalid.ts';

/** What was agreed for a run. */
export interface Agreed {
  readonly scheme: PaymentScheme;
  /** Of the offer that was taken. */
  readonly amount: bigint;
}

/**
 * Compares what a node says that it took with its own receipt. A payment that is still on its way, or that failed, is the node's affair.
 * @throws ReceiptInvalid `settlement` when it took more, or says nothing that can be read.
 */
export function checkSettlement(settlement: string | undefined, receipt: Receipt, { scheme, amount }: Agreed): void {
  const fail = (message: string): never => {
    throw new ReceiptInvalid('settlement', message);
  };
  if (settlement === undefined) return fail('expected what was taken with the receipt of a paid run, nothing came');
  const { success, amount: taken, extra } = read(settlement, fail);
  if (!success) return;
  const billed = receiptAmount(receipt);
  const same = (what: string, expected: bigint, got: unknown): void => {
    if (got !== undefined && got !== String(expected)) fail(`expected ${what} of ${expected}, the node says ${JSON.stringify(got)}`);
  };
  // a surplus of `exact` goes back through the splitter
  if (scheme === 'exact') return same('a payment', amount, taken);
  if (scheme === 'upto') return same('a payment', billed, taken);
  same('a charge', billed, extra?.['chargedAmount']);
  const state = extra?.['channelState'];
  if (typeof state === 'object' && state !== null)
    same('a sum on the channel', receipt.cumulativeAmount, (state as Record<string, unknown>)['chargedCumulativeAmount']);
}

function read(settlement: string, fail: (message: string) => never): ReturnType<typeof parsePaymentResponse> {
  try {
    return parsePaymentResponse(settlement);
  } catch (error) {
    if (!(error instanceof CommonweightError)) throw error;
    return fail(`the settlement cannot be read: ${error.message}`);
  }
}
