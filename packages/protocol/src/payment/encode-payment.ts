import type { Hex } from '../bytes.ts';
import { encodeHeader } from './base64-json.ts';
import type { ChannelConfig, Voucher } from './channel.ts';
import type { PaymentOffer } from './requirements.ts';

/** What a payer signs, by scheme: the `payload` of x402's `PAYMENT-SIGNATURE`. Amounts and times are decimal strings. */
export type PaymentPayload =
  | {
      readonly signature: Hex;
      readonly authorization: Readonly<Record<'from' | 'to' | 'value' | 'validAfter' | 'validBefore' | 'nonce', string>>;
    }
  | { readonly signature: Hex; readonly permit2Authorization: Readonly<Record<string, unknown>> }
  | {
      readonly type: 'voucher' | 'deposit';
      readonly channelConfig: ChannelConfig;
      readonly voucher: Pick<Voucher, 'channelId'> & { readonly maxClaimableAmount: string; readonly signature: Hex };
      readonly deposit?: Readonly<Record<string, unknown>>;
    };

/** The value of `PAYMENT-SIGNATURE` for an offer. */
export const encodePaymentSignature = (accepted: PaymentOffer, payload: PaymentPayload): string =>
  encodeHeader({ x402Version: 2, accepted, payload });
