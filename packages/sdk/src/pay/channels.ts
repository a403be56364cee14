import {
  type Address,
  ChannelAccount,
  type ChannelConfig,
  type Deposit,
  type Hex,
  type Hex32,
  type PaymentOffer,
  type PaymentRequired,
  type Receipt,
  ZERO_HEX32,
  addressOfKey,
  channelIdOf,
  receiptAmount,
  recoverSigner,
  signChannelPayment,
  toHex,
  voucherDigest,
} from '@commonweight/protocol';
import { PaymentRefused } from '../errors.ts';
import type { NetworkFacts } from '../facts.ts';
import { limits } from '../limits.ts';
import type { Platform } from '../platform/web.ts';

export interface ChannelsOptions {
  readonly key: Hex32;
  /** Uncharged money in one channel. */
  readonly maxDeposit: bigint;
  readonly facts: NetworkFacts;
  readonly platform: Platform;
}

/** A payment by one channel. */
export interface ChannelRun {
  readonly header: string;
  readonly channel: Hex32;
  /** The server has taken the payment, and the deposit in it. */
  readonly accepted: () => void;
  /** @returns whether another payment may do */
  readonly refused: (required: PaymentRequired | undefined) => Promise<boolean>;
  readonly charged: (receipt: Receipt) => void;
  readonly lost: () => void;
}

interface Channel {
  readonly id: Hex32;
  readonly config: ChannelConfig;
  readonly account: ChannelAccount;
  /** What was charged before this client's first voucher. */
  start: bigint;
  /** This client's highest voucher. */
  top: bigint;
  /** A deposit that is on its way to the node: other runs wait, the node may not know of it yet. */
  arriving: Promise<void> | undefined;
  /** Deposits of which it is not known whether they were used; they can be until `validBefore`. */
  doubtful: readonly Deposit[];
}

const STALE = 'invalid_batch_settlement_evm_cumulative_amount_mismatch';
const SHORT = 'invalid_batch_settlement_evm_cumulative_exceeds_balance';

/** The caller's payment channels, in memory: after a restart the chain and a node's corrective 402 tell where they stand. */
export class Channels {
  readonly #o: ChannelsOptions;
  readonly #payer: Address;
  readonly #opened = new Map<Hex32, Promise<Channel>>();
  readonly #channels = new Set<Channel>();

  constructor(options: ChannelsOptions) {
    this.#o = options;
    this.#payer = addressOfKey(options.key);
  }

  /** What this client's vouchers allow to be taken: never less than what was, whatever a server says of it. */
  get committed(): bigint {
    let sum = 0n;
    for (const { top, start } of this.#channels) if (top > start) sum += top - start;
    return sum;
  }

  /**
   * @param requireRoom - is told how much is added to `committed`, right before the voucher is signed; throws when that is too much.
   * @throws PaymentRefused
   */
  async pay(offer: PaymentOffer, node: Address, requireRoom: (added: bigint) => void): Promise<ChannelRun> {
    const channel = await this.#channel(offer, node);
    while (channel.arriving) await channel.arriving;
    // no await from here on: what was checked is what is reserved
    const { account, config, id } = channel;
    const maximum = BigInt(offer.amount);
    const before = channel.top > channel.start ? channel.top : channel.start;
    const next = account.voucherFor(maximum);
    requireRoom(next > before ? next - before : 0n);
    const missing = account.missing(maximum);
    const deposit = missing > 0n ? this.#deposit(channel, missing, offer) : undefined;
    const accepted = deposit ? this.#send(channel, deposit) : () => undefined;
    const run = toHex(this.#o.platform.random(16));
    const voucher = account.reserve(run, maximum);
    if (voucher > channel.top) channel.top = voucher;
    return {
      header: signChannelPayment(offer, { config, voucher, deposit }, this.#o.key),
      channel: id,
      accepted,
      refused: async (required) => {
        account.release(run);
        try {
          // whether a deposit was used only the chain knows
          if (deposit || required?.error === SHORT) account.setBalance((await this.#o.facts.channel(id)).balance);
        } finally {
          accepted();
        }
        return required?.error === SHORT || (required?.error === STALE && this.#correct(channel, required));
      },
      charged: (receipt) => {
        accepted();
        account.charge(run, receiptAmount(receipt), receipt.cumulativeAmount);
        // the node has run on it: it counts in the balance from here on
        channel.doubtful = channel.doubtful.filter((one) => one !== deposit);
      },
      lost: () => {
        accepted();
        account.lose(run);
      },
    };
  }

  /** Counts a deposit, and holds back the channel's other runs. @returns what lets them go on */
  #send(channel: Channel, deposit: Deposit): () => void {
    channel.account.deposited(deposit.amount);
    channel.doubtful = [...channel.doubtful, deposit];
    let done!: () => void;
    const arriving = new Promise<void>((resolve) => (done = resolve));
    channel.arriving = arriving;
    return () => {
      if (channel.arriving === arriving) channel.arriving = undefined;
      done();
    };
  }

  #channel(offer: PaymentOffer, node: Address): Promise<Channel> {
    const delay = offer.extra['withdrawDelay'];
    if (!Number.isSafeInteger(delay) || (delay as number) < 0 || (delay as number) > limits.withdrawDelay)
      throw new PaymentRefused(
        `expected a delay of withdrawals of at most ${limits.withdrawDelay} s, the offer has ${String(delay)}`,
        'payment_price',
      );
    const config: ChannelConfig = {
      payer: this.#payer,
      payerAuthorizer: this.#payer,
      receiver: offer.payTo,
      receiverAuthorizer: node,
      token: offer.asset,
      withdrawDelay: delay as number,
      salt: ZERO_HEX32,
    };
    const id = channelIdOf(config, this.#o.facts.chainId);
    const known = this.#opened.get(id);
    if (known) return known;
    const opened = this.#o.facts.channel(id).then(({ balance, claimed }) => {
      // what was claimed was charged, and more may have been: then the node shows a voucher for it
      const account = new ChannelAccount({ balance, charged: claimed, signed: claimed });
      const channel: Channel = { id, config, account, start: claimed, top: claimed, arriving: undefined, doubtful: [] };
      this.#channels.add(channel);
      return channel;
    });
    this.#opened.set(id, opened);
    opened.catch(() => this.#opened.delete(id));
    return opened;
  }

  #deposit(channel: Channel, missing: bigint, offer: PaymentOffer): Deposit {
    const { maxDeposit, platform } = this.#o;
    const { balance, charged } = channel.account.books;
    channel.doubtful = channel.doubtful.filter(({ validBefore }) => validBefore > platform.now());
    const doubtful = channel.doubtful.reduce((sum, { amount }) => sum + amount, 0n);
    const room = maxDeposit - (balance > charged ? balance - charged : 0n) - doubtful;
    if (missing > room)
      throw new PaymentRefused(
        `this request needs a deposit of ${missing}, ${room > 0n ? room : 0n} more may be put into its channel (maxDeposit)`,
        'payment_cap_request',
      );
    const step = 3n * BigInt(offer.amount);
    const wanted = missing > step ? missing : step;
    return {
      amount: wanted < room ? wanted : room,
      salt: toHex(platform.random(32)),
      validBefore: platform.now() + offer.maxTimeoutSeconds,
    };
  }

  /** The node says that more is taken than is known: believed when it shows this payer's own voucher for it. */
  #correct(channel: Channel, { accepts }: PaymentRequired): boolean {
    const extra = accepts.find(({ scheme }) => scheme === 'batch-settlement')?.extra;
    const sum = amountIn(extra?.['channelState'], 'chargedCumulativeAmount');
    const signed = amountIn(extra?.['voucherState'], 'signedMaxClaimable');
    if (sum === undefined) return false;
    const { account, id } = channel;
    const known = account.voucherFor(0n);
    const earlier = signed !== undefined && signed > account.books.signed;
    if (earlier) {
      const signature = textIn(extra?.['voucherState'], 'signature') as Hex | undefined;
      const digest = voucherDigest({ channelId: id, maxClaimableAmount: signed }, this.#o.facts.chainId);
      if (signature === undefined || recoverSigner(digest, signature) !== this.#payer) return false;
      account.signedBefore(signed);
    }
    if (!account.correct(sum)) return false;
    // an earlier client of the same payer signed that, and answers for it
    if (earlier) channel.start += sum - known;
    return true;
  }
}

const textIn = (value: unknown, key: string): string | undefined => {
  const found = typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[key] : undefined;
  return typeof found === 'string' ? found : undefined;
};

function amountIn(value: unknown, key: string): bigint | undefined {
  const text = textIn(value, key);
  return text !== undefined && /^[0-9]{1,39}$/.test(text) ? BigInt(text) : undefined;
}
