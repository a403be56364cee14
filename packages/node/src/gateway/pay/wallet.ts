import {
  type Address,
  type ChannelConfig,
  CommonweightError,
  type Hex32,
  Overcharged,
  type PaymentOffer,
  ZERO_HEX32,
  addressOfKey,
  channelIdOf,
  signChannelPayment,
} from '@commonweight/protocol';
import { Journal } from '../../journal/journal.ts';
import { gatewayLimits as limits } from '../../limits.ts';
import type { Clock } from '../../platform/clock.ts';
import { type SpendingCaps, depositFor, requireWithin } from './caps.ts';
import { type WalletRecord, parseWalletRecord, walletRecordToJson } from './wallet-record.ts';
import { type Channel, WalletState } from './wallet-state.ts';

export interface WalletOptions {
  /** Holds the journal; one process at a time. */
  readonly folder: string;
  /** Pays, and signs vouchers. */
  readonly key: Hex32;
  readonly chainId: number;
  readonly caps: SpendingCaps;
  readonly clock: Clock;
  readonly draw32: () => Hex32;
  /** What the channel's contract holds of it. */
  readonly balanceOf: (channel: Hex32) => Promise<bigint>;
}

/** A run that is paid for: what to send with it. */
export interface PaidRun {
  readonly channel: Channel;
  readonly run: Hex32;
  /** Value of `PAYMENT-SIGNATURE`. */
  readonly header: string;
  /** What lies in the channel: runs that begin later may be charged up to there before this one is. */
  readonly balance: bigint;
  /** It carries a deposit, which other runs of the channel wait for. */
  readonly deposits: boolean;
}

const FULL =
  'take the money of its channels back with `commonweight withdraw`, then start the gateway with a new payer key and data directory';

/**
 * A payer's money in payment channels, one for each node and model. What is signed is in the journal (fsync) before it is handed out, so after a crash at any step
 * the highest voucher and every deposit are known; runs in flight then count as charged until a receipt tells.
 */
export class Wallet {
  readonly payer: Address;
  readonly #o: WalletOptions;
  readonly #journal: Journal;
  readonly #state: WalletState;
  /** Deposits that are on their way to their node. */
  readonly #deposits = new Map<Hex32, { readonly arrived: Promise<void>; readonly done: () => void }>();
  /** First look at a channel's balance since the start: one for all who wait for it. */
  readonly #read = new Map<Hex32, Promise<void>>();

  private constructor(options: WalletOptions, payer: Address, journal: Journal, state: WalletState) {
    this.#o = options;
    this.payer = payer;
    this.#journal = journal;
    this.#state = state;
  }

  /** @throws CommonweightError `wallet_of_another`, `wallet_damaged`, and those of {@link Journal.open}. */
  static async open(options: WalletOptions): Promise<Wallet> {
    const payer = addressOfKey(options.key);
    const state = new WalletState(payer, options.chainId);
    const { journal } = await Journal.open(options.folder, (value) => state.apply(parseWalletRecord(value)), FULL);
    const wallet = new Wallet(options, payer, journal, state);
    try {
      if (!state.opened) await wallet.#append({ type: 'opened', payer, chainId: options.chainId });
      // nobody hears any more of what was in flight when the last process ended
      for (const run of state.open) await wallet.#append({ type: 'lost', ...run });
    } catch (error) {
      await journal.close();
      throw error;
    }
    return wallet;
  }

  get channels(): readonly Channel[] {
    return [...this.#state.channels.values()];
  }

  /** Charged today (UTC). */
  get spentToday(): bigint {
    return this.#state.spent(this.#o.clock.now());
  }

  /** The channel for this offer of a node; opened when it is the first. Its money comes with the first run. */
  async channel(node: Address, modelId: Hex32, offer: PaymentOffer): Promise<Channel> {
    const { config, id } = this.#inUse(this.#terms(node, offer));
    if (!this.#state.channels.has(id)) {
      if (this.#state.channels.size >= limits.channels) throw walletFull();
      await this.#append({ type: 'channel', channel: id, node, modelId, config });
    }
    const channel = this.#state.channels.get(id)!;
    await this.#firstRead(channel);
    return channel;
  }

  /** Takes the chain's word on what is in a channel; not when a deposit was signed after it was asked. */
  async readBalance({ id, deposits }: Channel): Promise<void> {
    const { signatures } = deposits;
    const balance = await this.#o.balanceOf(id);
    if (deposits.signatures === signatures && deposits.differs(balance)) await this.#append({ type: 'balance', channel: id, balance });
  }

  async #firstRead(channel: Channel): Promise<void> {
    let read = this.#read.get(channel.id);
    if (!read) this.#read.set(channel.id, (read = this.readBalance(channel)));
    try {
      await read;
    } catch (error) {
      if (this.#read.get(channel.id) === read) this.#read.delete(channel.id);
      throw error;
    }
  }

  /**
   * Pays for one run of at most `maximum`.
   * @throws ApiError 402 or 429 for the caps, CommonweightError `channel_frozen`, `journal_broken`.
   */
  async pay(channel: Channel, offer: PaymentOffer, maximum: bigint): Promise<PaidRun> {
    const { id, account, config } = channel;
    // one deposit at a time, and nobody leans on one that its node may not know yet
    for (let deposit = this.#deposits.get(id); deposit; deposit = this.#deposits.get(id)) await deposit.arrived;
    const frozen = this.#state.frozen(channel);
    if (frozen) {
      throw new CommonweightError(
        `nothing more is paid on channel ${frozen.id}: node ${channel.node} took more than it may; \`commonweight withdraw\` ends the channel`,
        {
          code: 'channel_frozen',
          action: 'stop',
        },
      );
    }
    // no await from here to the records: what was checked is what is reserved
    const { caps, clock, key } = this.#o;
    requireWithin(caps, maximum, this.#state.spent(clock.now()) + this.#state.atStake);
    const missing = account.missing(maximum);
    const written: Promise<void>[] = [];
    const deposit = missing > 0n ? this.#newDeposit(channel, missing, offer) : undefined;
    if (deposit) written.push(this.#append({ type: 'deposit', channel: id, ...deposit }));
    const run = this.#o.draw32();
    const voucher = account.voucherFor(maximum);
    written.push(this.#append({ type: 'voucher', channel: id, run, maximum, voucher, at: clock.now() }));
    try {
      await Promise.all(written);
    } catch (error) {
      this.depositArrived(channel);
      throw error;
    }
    const header = signChannelPayment(offer, { config, voucher, deposit }, key);
    return { channel, run, header, balance: account.books.balance, deposits: deposit !== undefined };
  }

  /** A node has taken the deposit of a run, or the run that carried it is over. */
  depositArrived({ id }: Channel): void {
    this.#deposits.get(id)?.done();
    this.#deposits.delete(id);
  }

  /** @throws Overcharged; then the channel is frozen. */
  async charged({ channel, run }: PaidRun, amount: bigint, cumulative: bigint): Promise<void> {
    const at = this.#o.clock.now();
    try {
      await this.#append({ type: 'charged', channel: channel.id, run, amount, cumulative, at });
    } catch (error) {
      if (error instanceof Overcharged) await this.freeze(channel);
      throw error;
    }
  }

  /** The node refused the run before it began. */
  released({ channel, run }: PaidRun): Promise<void> {
    return this.#append({ type: 'released', channel: channel.id, run });
  }

  /** Nobody knows what became of the run. */
  lost({ channel, run }: PaidRun): Promise<void> {
    return this.#append({ type: 'lost', channel: channel.id, run });
  }

  /** The node shows that more is taken than is known here. @returns whether that can be, and another voucher may be signed upon it */
  async corrected(channel: Channel, sum: bigint): Promise<boolean> {
    if (!channel.account.correct(sum)) return false;
    await this.#journal.append(walletRecordToJson({ type: 'corrected', channel: channel.id, sum }));
    return true;
  }

  /** The money of a frozen channel is back: the node may be paid again, on a channel with another salt. */
  retire({ id }: Channel): Promise<void> {
    return this.#append({ type: 'retired', channel: id });
  }

  freeze({ id }: Channel): Promise<void> {
    return this.#append({ type: 'frozen', channel: id });
  }

  async close(): Promise<void> {
    for (const { done } of this.#deposits.values()) done();
    await this.#journal.close();
  }

  /** Salts are counted, so that the channels of a lost journal can be found again. */
  #inUse(terms: ChannelConfig): { config: ChannelConfig; id: Hex32 } {
    for (let salt = 0; salt <= limits.channels; salt++) {
      const config = { ...terms, salt: `0x${salt.toString(16).padStart(64, '0')}` as Hex32 };
      const id = channelIdOf(config, this.#o.chainId);
      if (!this.#state.channels.get(id)?.retired) return { config, id };
    }
    throw walletFull();
  }

  #terms(node: Address, { extra, payTo, asset }: PaymentOffer): ChannelConfig {
    const delay = extra['withdrawDelay'];
    if (!Number.isSafeInteger(delay) || (delay as number) < 0 || (delay as number) > limits.withdrawDelay)
      throw new CommonweightError(
        `expected a delay of withdrawals of at most ${limits.withdrawDelay} s, the node's offer has ${String(delay)}`,
        {
          code: 'offer_delay',
          action: 'stop',
        },
      );
    return {
      payer: this.payer,
      payerAuthorizer: this.payer,
      receiver: payTo,
      receiverAuthorizer: node,
      token: asset,
      withdrawDelay: delay as number,
      salt: ZERO_HEX32,
    };
  }

  #newDeposit(channel: Channel, missing: bigint, offer: PaymentOffer): { amount: bigint; salt: Hex32; validBefore: number } {
    const now = Math.floor(this.#o.clock.now() / 1000);
    const { uncharged, pending } = this.#state.exposed(channel, now);
    const amount = depositFor(this.#o.caps, missing, uncharged, pending);
    let done!: () => void;
    const arrived = new Promise<void>((resolve) => (done = resolve));
    this.#deposits.set(channel.id, { arrived, done });
    return { amount, salt: this.#o.draw32(), validBefore: now + Math.min(offer.maxTimeoutSeconds, limits.depositSeconds) };
  }

  /** In memory first, so that nobody reserves the same money meanwhile; nothing leaves before the disk has it. */
  async #append(record: WalletRecord): Promise<void> {
    this.#state.apply(record);
    await this.#journal.append(walletRecordToJson(record));
  }
}

const walletFull = (): CommonweightError =>
  new CommonweightError(
    `a wallet has at most ${limits.channels} channels; take their money back with \`commonweight withdraw\`, then start the gateway with a new payer key and data directory`,
    { code: 'wallet_full', action: 'stop' },
  );
