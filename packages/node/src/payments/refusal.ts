import { CommonweightError, type PaymentRequired, encodePaymentRequired } from '@commonweight/protocol';

export type PaymentRefusalCode = 'payment_required' | 'payment_stale' | 'payment_invalid' | 'payment_used' | 'payment_owed';

/** x402's reasons that stock clients act upon. */
export const reasons = {
  stale: 'invalid_batch_settlement_evm_cumulative_amount_mismatch',
  balance: 'invalid_batch_settlement_evm_cumulative_exceeds_balance',
  voucher: 'invalid_batch_settlement_evm_voucher_signature',
  authorizer: 'invalid_batch_settlement_evm_receiver_authorizer_mismatch',
  delay: 'invalid_batch_settlement_evm_withdraw_delay_mismatch',
} as const;

/** A run was asked for and is not paid for: 402, with what would do. */
export class PaymentRefused extends CommonweightError {
  override readonly name = 'PaymentRefused';
  /** Value of `PAYMENT-REQUIRED`. */
  readonly required: string;

  constructor(code: PaymentRefusalCode, message: string, required: PaymentRequired) {
    // with the right payment the same request is taken
    super(message, { code, action: code === 'payment_stale' ? 'retry' : 'fix-input', field: 'payment-signature' });
    this.required = encodePaymentRequired(required);
  }
}
