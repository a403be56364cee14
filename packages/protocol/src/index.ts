export * from './account.ts';
export * from './bundle.ts';
export * from './bytes.ts';
export * from './checkpoint.ts';
export * from './commitment.ts';
export * from './eip712.ts';
export * from './errors.ts';
export * from './grammar.ts';
export * from './jcs.ts';
export * from './limits.ts';
export * from './manifest-head.ts';
export * from './manifest.ts';
export * from './merkle.ts';
export * from './partial-bundle.ts';
export * from './payment/authorization.ts';
export * from './payment/channel-account.ts';
export * from './payment/channel.ts';
export * from './payment/check-offer.ts';
export * from './payment/check-settlement.ts';
export * from './payment/contracts.ts';
export * from './payment/encode-payment.ts';
export {
  type ChannelDeposit,
  type ChannelPayment,
  type ExactPayment,
  type Payment,
  type UptoPayment,
  parsePaymentSignature,
} from './payment/payment.ts';
export * from './payment/payment-payload.ts';
export * from './payment/permit2.ts';
export * from './payment/requirements.ts';
export * from './payment/response.ts';
export * from './payment/sign-payment.ts';
export * from './posted-root.ts';
export * from './prf.ts';
export * from './read.ts';
export * from './receipt.ts';
export * from './request.ts';
export * from './sampler-settings.ts';
export * from './sha256.ts';
export * from './signature.ts';
export * from './token-logprobs.ts';
export * from './worker-wire.ts';
