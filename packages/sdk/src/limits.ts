import { limits as protocolLimits } from '@commonweight/protocol';

/** Every bound of this package. */
export const limits = {
  /** Bytes of an answer's JSON body, and of one event of a stream: a bundle with its digests, and text around it. */
  bodyBytes: 2 * protocolLimits.bundleBytes,
  /** Events of a stream. */
  streamEvents: 4 * protocolLimits.positions,
  /** Bytes of an error body that is read. */
  errorBytes: 1 << 20,
  /** Times that one call is sent: unpaid, paid, and once more after the server corrected what it knows of the channel. */
  sends: 3,
  /** Seconds that a receipt may be older than the call that it answers: clocks differ. */
  receiptBehindSeconds: 300,
  /** Requests whose answers came last: none of them is taken again. */
  answered: 4096,
  /** Longest delay, in seconds, after which the payer alone can take back what lies in a channel. */
  withdrawDelay: 30 * 86_400,
  /** Bytes of an answer of a chain's RPC server. */
  rpcBytes: 1 << 20,
} as const;
