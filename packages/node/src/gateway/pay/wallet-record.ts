import { type Address, type ChannelConfig, DecodeError, Fields, type Hex32, channelIdOf } from '@commonweight/protocol';

/** What happened in a wallet, in order. The first record says whose journal it is. Times are milliseconds since 1970. */
export type WalletRecord =
  | { readonly type: 'opened'; readonly payer: Address; readonly chainId: number }
  /** A channel with a node, for one model. */
  | { readonly type: 'channel'; readonly channel: Hex32; readonly node: Address; readonly modelId: Hex32; readonly config: ChannelConfig }
  /** An authorization to move `amount` into the channel is about to be sent. */
  | { readonly type: 'deposit'; readonly channel: Hex32; readonly amount: bigint; readonly salt: Hex32; readonly validBefore: number }
  /** A voucher over `voucher` is about to be sent, with a run that costs at most `maximum`. */
  | {
      readonly type: 'voucher';
      readonly channel: Hex32;
      readonly run: Hex32;
      readonly maximum: bigint;
      readonly voucher: bigint;
      readonly at: number;
    }
  /** The run's receipt was accepted. */
  | {
      readonly type: 'charged';
      readonly channel: Hex32;
      readonly run: Hex32;
      readonly amount: bigint;
      readonly cumulative: bigint;
      readonly at: number;
    }
  /** The run was refused before it began. */
  | { readonly type: 'released'; readonly channel: Hex32; readonly run: Hex32 }
  /** The run's end was never heard of. */
  | { readonly type: 'lost'; readonly channel: Hex32; readonly run: Hex32 }
  /** The node showed that more is taken than was known. */
  | { readonly type: 'corrected'; readonly channel: Hex32; readonly sum: bigint }
  /** The chain says how much is in the channel. */
  | { readonly type: 'balance'; readonly channel: Hex32; readonly balance: bigint }
  /** Nothing more is paid on it: the node took, or tried to take, what it may not. */
  | { readonly type: 'frozen'; readonly channel: Hex32 }
  /** What was left in a frozen channel is taken back: the next one with the same terms has a new salt. */
  | { readonly type: 'retired'; readonly channel: Hex32 };

const types = [
  'opened',
  'channel',
  'deposit',
  'voucher',
  'charged',
  'released',
  'lost',
  'corrected',
  'balance',
  'frozen',
  'retired',
] as const;

export const walletRecordToJson = (record: WalletRecord): unknown =>
  JSON.parse(JSON.stringify(record, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value)));

/** Reads a record back. Throws DecodeError: the journal was written by something else. */
export function parseWalletRecord(value: unknown): WalletRecord {
  const keys = [
    'payer',
    'chainId',
    'channel',
    'node',
    'modelId',
    'config',
    'amount',
    'salt',
    'validBefore',
    'run',
    'maximum',
    'voucher',
    'at',
  ];
  const f = new Fields(value, 'record', ['type', ...[...keys, 'cumulative', 'sum', 'balance'].map((key) => `${key}?`)]);
  const type = f.literal('type', types);
  const time = (key: string): number => f.integer(key, 0, Number.MAX_SAFE_INTEGER);
  if (type === 'opened') return { type, payer: f.address('payer'), chainId: f.integer('chainId', 1, Number.MAX_SAFE_INTEGER) };
  const channel = f.hex32('channel');
  switch (type) {
    case 'channel':
      return { type, channel, node: f.address('node'), modelId: f.hex32('modelId'), config: parseConfig(f.raw('config')) };
    case 'deposit':
      return { type, channel, amount: f.uint('amount'), salt: f.hex32('salt'), validBefore: time('validBefore') };
    case 'voucher':
      return { type, channel, run: f.hex32('run'), maximum: f.uint('maximum'), voucher: f.uint('voucher'), at: time('at') };
    case 'charged':
      return { type, channel, run: f.hex32('run'), amount: f.uint('amount'), cumulative: f.uint('cumulative'), at: time('at') };
    case 'released':
    case 'lost':
      return { type, channel, run: f.hex32('run') };
    case 'corrected':
      return { type, channel, sum: f.uint('sum') };
    case 'balance':
      return { type, channel, balance: f.uint('balance') };
    case 'frozen':
    case 'retired':
      return { type, channel };
  }
}

function parseConfig(value: unknown): ChannelConfig {
  const f = new Fields(value, 'record.config', [
    'payer',
    'payerAuthorizer',
    'receiver',
    'receiverAuthorizer',
    'token',
    'withdrawDelay',
    'salt',
  ]);
  return {
    payer: f.address('payer'),
    payerAuthorizer: f.address('payerAuthorizer'),
    receiver: f.address('receiver'),
    receiverAuthorizer: f.address('receiverAuthorizer'),
    token: f.address('token'),
    withdrawDelay: f.integer('withdrawDelay', 0, 2 ** 40 - 1),
    salt: f.hex32('salt'),
  };
}

/** @throws DecodeError when a channel's record names another id than its terms have. */
export function requireChannelId({ channel, config }: { channel: Hex32; config: ChannelConfig }, chainId: number): void {
  const id = channelIdOf(config, chainId);
  if (id !== channel) throw new DecodeError('record.channel', `the id of its terms, ${id},`, channel);
}
