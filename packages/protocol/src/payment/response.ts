import { type Hex } from '../bytes.ts';
import { DecodeError } from '../errors.ts';
import { decodeHeader, encodeHeader } from './base64-json.ts';
import { OpenFields } from './open-fields.ts';
import { paymentHeaders } from './requirements.ts';

/** The content of `PAYMENT-RESPONSE`: how a payment was settled. */
export interface PaymentResponse {
  readonly success: boolean;
  /** x402's reason, or `settlement_pending`: the work is done, the payment is under way and will be tried again. */
  readonly errorReason?: string;
  readonly errorMessage?: string;
  readonly payer?: string;
  /** Empty when nothing went on chain: a voucher is claimed later. */
  readonly transaction: Hex | '';
  readonly network: string;
  /** What was moved, in the asset's smallest unit. */
  readonly amount?: string;
  /** Of a channel: `chargedAmount`, and `channelState` with `chargedCumulativeAmount`. */
  readonly extra?: Readonly<Record<string, unknown>>;
}

export const encodePaymentResponse = (response: PaymentResponse): string => encodeHeader(response);

/** Reads a settlement. It is a statement of the node's; what arrived is seen on chain. */
export function parsePaymentResponse(header: string): PaymentResponse {
  const field = paymentHeaders.response;
  const f = new OpenFields(decodeHeader(header, field), field);
  const text = (key: 'errorReason' | 'errorMessage' | 'payer' | 'amount') => f.has(key) && { [key]: f.string(key, 1024) };
  const extra = f.raw('extra');
  if (extra !== undefined && (typeof extra !== 'object' || extra === null || Array.isArray(extra)))
    throw new DecodeError(f.name('extra'), 'an object', extra);
  return {
    success: f.boolean('success'),
    ...text('errorReason'),
    ...text('errorMessage'),
    ...text('payer'),
    transaction: f.string('transaction', 66, /^(?:0x[0-9a-fA-F]{64})?$/) as Hex | '',
    network: f.string('network', 64),
    ...text('amount'),
    ...(extra !== undefined && { extra: extra as Readonly<Record<string, unknown>> }),
  };
}
