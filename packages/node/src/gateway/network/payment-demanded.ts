import { CommonweightError, type PaymentRequiredRead, parsePaymentRequired } from '@commonweight/protocol';
import { NodeFailure } from './node-failure.ts';

/** A node answered 402: what would do. */
export class PaymentDemanded extends NodeFailure {
  /** Value of `PAYMENT-REQUIRED`, as it came. */
  readonly header: string;
  readonly required: PaymentRequiredRead;

  constructor(header: string, required: PaymentRequiredRead) {
    super('refused', `the node asks for a payment: ${required.error?.slice(0, 200) ?? 'it gives no reason'}`);
    this.header = header;
    this.required = required;
  }
}

/** @throws NodeFailure `malformed` when the header is not there or cannot be read. */
export function paymentDemanded(header: string | string[] | undefined): PaymentDemanded {
  if (typeof header !== 'string') throw new NodeFailure('malformed', 'the node answered 402 without PAYMENT-REQUIRED');
  try {
    return new PaymentDemanded(header, parsePaymentRequired(header));
  } catch (cause) {
    if (!(cause instanceof CommonweightError)) throw cause;
    throw new NodeFailure('malformed', `the node's PAYMENT-REQUIRED cannot be read: ${cause.message}`, cause);
  }
}
