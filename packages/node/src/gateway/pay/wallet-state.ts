import { type Address, ChannelAccount, type ChannelConfig, CommonweightError, type Hex32 } from '@commonweight/protocol';
import { OpenDeposits } from './open-deposits.ts';
import { type WalletRecord, requireChannelId } from './wallet-record.ts';

export interface Channel {
  readonly id: Hex32;
  readonly node: Address;
  readonly modelId: Hex32;
  readonly config: ChannelConfig;
  readonly account: ChannelAccount;
  readonly deposits: OpenDeposits;
  /** Nothing more is paid on it. */
  frozen: boolean;
  /** Frozen, and its money is taken back. */
  retired: boolean;
}

const DAY = 86_400_000;

/** A wallet as its journal tells it. */
export class WalletState {
  readonly channels = new Map<Hex32, Channel>();
  readonly #runs = new Map<Hex32, Hex32>();
  readonly #payer: Address;
  readonly #chainId: number;
  #opened = false;
  #day = 0;
  #spent = 0n;

  constructor(payer: Address, chainId: number) {
    this.#payer = payer;
    this.#chainId = chainId;
  }

  get opened(): boolean {
    return this.#opened;
  }

  /** What was charged on the (UTC) day of `at`. */
  spent(at: number): bigint {
    return Math.floor(at / DAY) === this.#day ? this.#spent : 0n;
  }

  /** Maxima of the runs in flight, and of those that were never heard of: they may still be charged. */
  get atStake(): bigint {
    let sum = 0n;
    for (const { account, retired } of this.channels.values()) if (!retired) sum += account.inFlight + account.books.unheard;
    return sum;
  }

  /** Of the channels with a node for one model, the one on which it took what it may not: other terms do not clear it. */
  frozen({ node, modelId }: Channel): Channel | undefined {
    for (const channel of this.channels.values())
      if (channel.frozen && !channel.retired && channel.node === node && channel.modelId === modelId) return channel;
    return undefined;
  }

  /** What a node can come to hold in its channels for one model, these terms or others, without having charged it. @param now - Unix seconds */
  exposed({ node, modelId }: Channel, now: number): { uncharged: bigint; pending: bigint } {
    let [uncharged, pending] = [0n, 0n];
    for (const channel of this.channels.values()) {
      if (channel.node !== node || channel.modelId !== modelId) continue;
      const { balance, charged } = channel.account.books;
      if (!channel.retired && balance > charged) uncharged += balance - charged;
      pending += channel.deposits.pending(now);
    }
    return { uncharged, pending };
  }

  /** @throws CommonweightError, and changes nothing, when the record does not follow from those before it. */
  apply(record: WalletRecord): void {
    if (record.type === 'opened') return this.#open(record);
    if (!this.#opened) throw disorder('a wallet begins with whose it is');
    if (record.type === 'channel') {
      requireChannelId(record, this.#chainId);
      const { channel: id, node, modelId, config } = record;
      this.channels.set(id, {
        id,
        node,
        modelId,
        config,
        account: new ChannelAccount(),
        deposits: new OpenDeposits(),
        frozen: false,
        retired: false,
      });
      return;
    }
    const channel = this.channels.get(record.channel);
    if (!channel) throw disorder(`channel ${record.channel} was never opened`);
    const { account } = channel;
    switch (record.type) {
      case 'deposit':
        channel.deposits.signed(record.amount, record.validBefore);
        return account.deposited(record.amount);
      case 'voucher': {
        const voucher = account.reserve(record.run, record.maximum);
        this.#runs.set(record.run, record.channel);
        if (voucher !== record.voucher) throw disorder(`expected a voucher over ${voucher}, it says ${record.voucher}`);
        return;
      }
      case 'charged': {
        const { charged } = account.books;
        account.charge(record.run, record.amount, record.cumulative);
        this.#runs.delete(record.run);
        // the receipt may tell of runs that were never heard of
        return this.#spend(account.books.charged - charged, record.at);
      }
      case 'released':
        account.release(record.run);
        return void this.#runs.delete(record.run);
      case 'lost':
        account.lose(record.run);
        return void this.#runs.delete(record.run);
      case 'corrected':
        return void account.correct(record.sum);
      case 'balance':
        channel.deposits.read(record.balance);
        return account.setBalance(record.balance);
      case 'frozen':
        channel.frozen = true;
        return;
      case 'retired':
        if (!channel.frozen) throw disorder(`channel ${record.channel} is in use`);
        channel.retired = true;
    }
  }

  /** Runs in flight, with their channels. */
  get open(): readonly { readonly run: Hex32; readonly channel: Hex32 }[] {
    return [...this.#runs].map(([run, channel]) => ({ run, channel }));
  }

  #open({ payer, chainId }: Extract<WalletRecord, { type: 'opened' }>): void {
    if (payer !== this.#payer || chainId !== this.#chainId) {
      throw new CommonweightError(
        `this wallet belongs to payer ${payer} on chain ${chainId}, the configuration names ${this.#payer} on chain ${this.#chainId}; give it a data directory of its own`,
        { code: 'wallet_of_another', action: 'stop' },
      );
    }
    this.#opened = true;
  }

  #spend(amount: bigint, at: number): void {
    const day = Math.floor(at / DAY);
    // a clock that is set back does not open yesterday's budget again
    if (day > this.#day) {
      this.#day = day;
      this.#spent = 0n;
    }
    this.#spent += amount;
  }
}

const disorder = (message: string): CommonweightError =>
  new CommonweightError(`the wallet's journal does not hold: ${message}`, { code: 'wallet_damaged', action: 'stop' });
