import {
  type Address,
  ChannelAccount,
  type ChannelConfig,
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
  /** @returns whether another payment may do */
  readonly refused: (required: PaymentRequired | undefined) => boolean;
  readonly charged: (receipt: Receipt) => void;
  readonly lost: () => void;
  /** Nothing more is paid on the channel. */
  readonly freeze: () => void;
}

interface Channel {
  readonly id: Hex32;
  readonly config: ChannelConfig;
  account: ChannelAccount;
  frozen: boolean;
}

const STALE = 'invalid_batch_settlement_evm_cumulative_amount_mismatch';

/** The caller's payment channels, in memory: after a restart the chain and a node's corrective 402 tell where they stand. */
export class Channels {
  readonly #o: ChannelsOptions;
  readonly #payer: Address;
  readonly #channels = new Map<Hex32, Promise<Channel>>();

  constructor(options: ChannelsOptions) {
    this.#o = options;
    this.#payer = addressOfKey(options.key);
  }

  /** @throws PaymentRefused */
  async pay(offer: PaymentOffer, node: Address): Promise<ChannelRun> {
    const channel = await this.#channel(offer, node);
    const { account, config, id } = channel;
    if (channel.frozen)
      throw new PaymentRefused(`nothing more is paid on channel ${id}: node ${node} took more than it may`, 'payment_price');
    const maximum = BigInt(offer.amount);
    const missing = account.missing(maximum);
    const deposit = missing > 0n ? this.#deposit(account, missing, offer) : undefined;
    if (deposit) account.deposited(deposit.amount);
    const run = toHex(this.#o.platform.random(16));
    const voucher = account.reserve(run, maximum);
    return {
      header: signChannelPayment(offer, { config, voucher, deposit }, this.#o.key),
      refused: (required) => {
        account.release(run);
        // whether a deposit was used the chain says, the next time
        if (deposit) this.#channels.delete(id);
        return required?.error === STALE && this.#correct(channel, required);
      },
      charged: (receipt) => account.charge(run, receiptAmount(receipt), receipt.cumulativeAmount),
      lost: () => account.lose(run),
      freeze: () => void (channel.frozen = true),
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
    const known = this.#channels.get(id);
    if (known) return known;
    const opened = this.#o.facts.channel(id).then(
      // what was claimed was charged, and more may have been: then the node shows a voucher for it
      ({ balance, claimed }): Channel => ({
        id,
        config,
        account: new ChannelAccount({ balance, charged: claimed, signed: claimed }),
        frozen: false,
      }),
    );
    this.#channels.set(id, opened);
    opened.catch(() => this.#channels.delete(id));
    return opened;
  }

  #deposit(account: ChannelAccount, missing: bigint, offer: PaymentOffer): { amount: bigint; salt: Hex32; validBefore: number } {
    const { maxDeposit, platform } = this.#o;
    const { balance, charged } = account.books;
    const room = maxDeposit - (balance > charged ? balance - charged : 0n);
    if (missing > room)
      throw new PaymentRefused(
        `this request needs a deposit of ${missing}, ${room} more may be put into its channel (maxDeposit)`,
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
    if (signed !== undefined && signed > account.books.signed) {
      const signature = textIn(extra?.['voucherState'], 'signature') as Hex | undefined;
      const digest = voucherDigest({ channelId: id, maxClaimableAmount: signed }, this.#o.facts.chainId);
      if (signature === undefined || recoverSigner(digest, signature) !== this.#payer) return false;
      account.signedBefore(signed);
    }
    return account.correct(sum);
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
