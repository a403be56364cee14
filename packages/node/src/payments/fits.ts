import type { Hex32 } from '@commonweight/protocol';
import type { ChannelBook } from './channel-book.ts';
import type { Reservation } from './reservation.ts';

export type Misfit = 'used' | 'another_payer' | 'stale' | 'balance' | 'funds';

export interface Funds {
  /** Of the channel, with the deposits that may be counted; undefined for a single payment, whose funds were simulated. */
  readonly available: bigint | undefined;
  /** Whether the request's payer is the channel's own: then his highest voucher counts, not only the one that came. */
  readonly ownMoney: boolean;
}

/** Sum that a channel stands at when every run in progress costs its maximum. */
export const committed = (channel: Readonly<ChannelBook> | undefined): bigint => (channel ? channel.charged + channel.reserved : 0n);

/** Why a payment does not pay for this run beside the others on its channel (SPEC section 25.1); undefined: it does. The request's limit is not looked at. */
export function misfit(
  reservation: Reservation,
  channels: ReadonlyMap<Hex32, Readonly<ChannelBook>>,
  isUsed: (channel: Hex32) => boolean,
  { available, ownMoney }: Funds,
): Misfit | undefined {
  const { scheme, channel: id, payer, maximum, voucher } = reservation;
  if (scheme !== 'batch-settlement') return isUsed(id) ? 'used' : undefined;
  const channel = channels.get(id);
  if (channel && channel.payer !== payer) return 'another_payer';
  const sum = committed(channel) + maximum;
  const own = voucher!.maxClaimableAmount;
  const highest = channel?.voucher?.maxClaimableAmount ?? 0n;
  if (sum > (ownMoney && highest > own ? highest : own)) return 'stale';
  return available !== undefined && sum > available ? 'balance' : undefined;
}
