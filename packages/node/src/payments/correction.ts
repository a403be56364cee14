import type { PaymentOffer } from '@commonweight/protocol';
import type { ChannelBook } from './channel-book.ts';
import { committed } from './fits.ts';
import type { Escrow } from './rail.ts';

/** What a payer needs to sign the next voucher of a channel, in the shape that stock clients read and check: `extra` of the channel's offer. */
export function correction(channel: Readonly<ChannelBook>, escrow: Escrow): PaymentOffer['extra'] {
  const { maxClaimableAmount, signature } = channel.voucher!;
  return {
    channelState: {
      channelId: channel.id,
      balance: String(escrow.balance),
      totalClaimed: String(escrow.totalClaimed),
      withdrawRequestedAt: escrow.withdrawRequestedAt,
      refundNonce: String(escrow.refundNonce),
      // the sum to sign upon: with what is reserved, the next voucher fits beside the runs in progress
      chargedCumulativeAmount: String(committed(channel)),
    },
    voucherState: { signedMaxClaimable: String(maxClaimableAmount), signature },
  };
}
