import { limits as protocolLimits } from '@commonweight/protocol';

/** Every bound of the gateway in one place. A request outside these bounds is refused, never truncated. */
export const gatewayLimits = {
  /** Bytes of a request body. */
  bodyBytes: 1 << 20,
  /** Messages in a chat request. */
  messages: 2048,
  /** Parts of one message's content. */
  contentParts: 256,
  /** Stop strings of a request, and UTF-16 code units of each. */
  stopStrings: 4,
  stopStringLength: protocolLimits.stopStringLength,
  /** Schemas within a response format's schema, and entries of one enum; levels; characters of a name or value. */
  schemaNodes: 512,
  schemaDepth: 24,
  schemaLiteral: 512,
  /** Entries of `provider.only`, `order` and `ignore`. */
  providerEntries: 64,
  /** Chat requests in progress; one more gets 429. */
  concurrentRequests: 64,
  /** Runs like the one at hand that its limit leaves room for on the same account, besides those in progress. */
  parallelRuns: 64,
  /** Nodes tried for one request before it fails. */
  attempts: 8,
  /** Times that one node is asked for one request: for its offer, paid, and once more after it corrected the sum or its terms. */
  paymentTries: 3,
  /** Payment channels of a wallet: one for each node and model. */
  channels: 4096,
  /** Longest delay, in seconds, after which an unused channel's money can be taken back by the payer alone. */
  withdrawDelay: protocolLimits.withdrawDelay,
  /** Seconds for which a deposit is signed at most, and for which it counts beyond that: clocks differ, and the chain is read a few blocks late. */
  depositSeconds: protocolLimits.authorizationSeconds,
  depositMarginSeconds: 600,
  /** Signed deposits of a channel that are told apart. */
  openDeposits: 64,
  /** Bytes of one NDJSON line from a worker (a receipt with its digests is the longest). */
  lineBytes: 64 << 20,
  /** Bytes of one line before the receipt: progress and tokens are short. */
  progressLineBytes: 4096,
  /** Frames that tell progress (`queued`, `prefill`) in one run. */
  progressFrames: 1 << 16,
  /** Bytes of a worker's JSON answers other than a run. */
  workerJsonBytes: 1 << 20,
  /** Milliseconds to open a connection to a worker. */
  connectMs: 2000,
  /** Milliseconds until a worker's first frame. */
  firstFrameMs: 15_000,
  /** Milliseconds between two frames. */
  betweenFramesMs: 30_000,
  /** Milliseconds from the request to the first token: a node that only reports progress is given up. */
  firstTokenMs: 600_000,
  /** Milliseconds that a run may go on after the payer's end (stop string or cancellation) before the node is given up. */
  afterEndMs: 10_000,
  /** Milliseconds for one health check or receipt look-up. */
  lookupMs: 2000,
  /** Nodes read from the chain. */
  nodes: 1024,
  /** Nodes that are asked for their health at the same time. */
  probesAtOnce: 8,
  /** Milliseconds for which the list of nodes is used before it is read again. */
  nodesFreshMs: 3000,
  /** Milliseconds that the list shown by `GET /v1/nodes` and `/health` may be old. */
  nodesShownMs: 500,
  /** Milliseconds for which a node that failed (could not be reached, cut the answer) is asked last. */
  failedAvoidMs: 5000,
  /** Milliseconds for which a node whose answer was refused is not asked unless it is named in `provider.only`. */
  refusedAvoidMs: 600_000,
  /** Receipts fetched with one answer to close gaps in a node's sequence; a longer gap is closed with the next answers. */
  chainGap: 64,
  /** Runs of a node's receipts with gaps between them, and receipts that arrived from inside one gap. */
  chainSegments: 4,
  chainSeen: 64,
  /** Receipts remembered per node, to recognise one that arrives late. */
  chainWindow: 128,
  /** Bytes of the file that holds them. */
  chainBytes: 1 << 18,
  /** Bundles kept on disk; the oldest is removed. */
  bundles: 10_000,
  /** Partial bundles of answers that broke off, and requests that were replaced, kept on disk; the oldest is removed. */
  partials: 1000,
  /** Refused answers kept as evidence; the oldest is removed. */
  refusals: 1000,
  /** Milliseconds between keepalive comments of a stream that waits. */
  keepaliveMs: 10_000,
  /** Seconds that a client is told to wait when every node is full. */
  retryAfterSeconds: 1,
  /** Model packages that one gateway knows. */
  packages: 16,
  /** Host names that a configuration may add. */
  allowedHosts: 16,
  /** Bytes of a configuration file. */
  configBytes: 1 << 18,
  /** Milliseconds that stopping gives answers in progress, and then their receipts after they were ended. */
  finishMs: 2000,
  cancelMs: 1500,
} as const;

/** Every bound of the worker's journal. */
export const journalLimits = {
  /** Bytes of one record's payload. */
  recordBytes: 1 << 16,
  /** Bytes of the whole journal; a node whose journal is full signs nothing more. */
  journalBytes: 2 ** 32,
  /** Receipts in a journal: its index is held in memory (about 500 bytes a receipt). */
  receipts: 1_000_000,
  /** Number of lock files looked at in a data directory. */
  lockFiles: 1024,
  /** Bytes of a lock file. */
  lockBytes: 256,
} as const;

/** Every bound of the worker. A request outside these bounds is refused, never truncated. */
export const workerLimits = {
  /** Model packages that one worker serves. */
  packages: 16,
  /** Bytes of a run's body beside its prompt ids. */
  bodyBytes: 1 << 20,
  /** Bytes that one prompt id takes in the body at most: 7 digits and a comma. */
  bytesPerId: 8,
  /** Open connections to the worker's HTTP server. */
  connections: 256,
  /** Milliseconds until a request's headers, and until its whole body, have arrived. */
  headersMs: 10_000,
  requestMs: 30_000,
  /** Threads of one engine. */
  threads: 64,
  /** Runs side by side, when the configuration names no number; and the most that it may name. */
  slotsDefault: 8,
  slotsMaximum: 32,
  /** Bytes of KV cache of a model's runs and its prefix cache together, and of the prefix cache alone. */
  kvBytesDefault: 2 ** 30,
  kvBytesMaximum: 2 ** 40,
  prefixCacheBytesDefault: 2 ** 28,
  /** Runs waiting behind those, when the configuration names no limit; and the most that it may name. */
  queueDefault: 8,
  queueMaximum: 256,
  /** Seconds that a gateway is told to wait when the queue is full. */
  retryAfterSeconds: 1,
  /** Frames of a run that its reader has not taken yet; a reader further behind is cut off. */
  unreadFrames: 1 << 16,
  /** Milliseconds between two frames of a run that has no token yet; well below a gateway's `firstFrameMs` and `betweenFramesMs`. */
  progressFrameMs: 5000,
  /** Milliseconds for which a run without a reader still accepts the payer's end. */
  orphanMs: 10_000,
  /** Runs without a reader that are kept at a time; the oldest goes first. */
  orphans: 64,
  /** Runs of one payer that were worked on and dropped without a signed end, in so many milliseconds; one more gets 429. */
  unbilledRuns: 32,
  unbilledWindowMs: 600_000,
  /** Payers whose dropped runs are remembered; the one who dropped longest ago is forgotten first. */
  unbilledPayers: 1024,
  /** Milliseconds after a change of prices on chain for which requests that were signed under the earlier ones are honoured. */
  priceGraceMs: 60_000,
  /** Milliseconds until an engine thread has loaded its model and passed its self-test. */
  engineStartMs: 120_000,
  /** Restarts of an engine thread that keeps crashing; a finished run resets the count. */
  engineRestarts: 3,
  /** Milliseconds that stopping waits for an engine thread and for open connections. */
  stopMs: 5000,
  /** Longest time between two batches, in milliseconds. */
  batchIntervalMs: 5000,
  /** Receipts in one batch. */
  batchReceipts: 4096,
  /** Trees of closed batches kept for proofs (96 bytes a receipt). */
  batchTrees: 16,
  /** Milliseconds of the first and of the longest pause after the chain failed. */
  chainRetryMs: 1000,
  chainRetryMaximumMs: 30_000,
  /** Digest files kept on disk; the oldest is removed. Digests can be regenerated from the model and the ids. */
  digestFiles: 4096,
  /** Bytes of a key file. */
  keyFileBytes: 256,
  /** Bytes of a configuration file. */
  configBytes: 1 << 18,
} as const;

/** Every bound of what a node is paid. */
export const paymentLimits = {
  /** Channels and single payments in a journal: their ids are held in memory. */
  channels: 1_000_000,
  /** Owners of money whose payment failed after delivery that are remembered; the one who failed longest ago is forgotten first. */
  debtors: 4096,
  /** Seconds for which such an owner is not served. */
  debtSeconds: 86_400,
  /** Seconds for which a payer signs a single payment or a deposit. */
  authorizationSeconds: 3600,
  /** Seconds that a signed single payment must still hold when its run begins. */
  authorizationLeftSeconds: 600,
  /** Payments of one channel that wait in line; one more is looked at at once. */
  corrections: 256,
  /** Milliseconds for which a channel is kept for a payer who was told the sum to sign upon. */
  correctionMs: 3000,
  /** Milliseconds for which a channel's balance in escrow is not asked again. */
  escrowFreshMs: 30_000,
  /** Channels that are asked for at the chain at once: naming one costs a stranger nothing. */
  escrowQuestions: 64,
  /** Channels whose balance is remembered. */
  escrows: 65_536,
  /** Milliseconds that the receipt's frame waits for a single payment to be on chain. */
  settleWaitMs: 8000,
  /** Milliseconds that stopping waits for payments that are being sent. */
  stopMs: 5000,
  /** Milliseconds of the first and of the longest pause after a payment could not be collected. */
  retryMs: 1000,
  retryMaximumMs: 60_000,
  /** Blocks, its own included, after which a payment counts: the most that a configuration may ask for. */
  confirmations: 256,
  /** Channels claimed in one transaction. */
  claimsAtOnce: 50,
  /** Milliseconds of the first and of the longest time for which a channel rests whose claim the contract refused. */
  claimRestMs: 60_000,
  claimRestMaximumMs: 3_600_000,
  /** Milliseconds between two looks for payers who want their money back. */
  withdrawWatchMs: 60_000,
  /** Longest time between two rounds of claims, in milliseconds. */
  claimIntervalMs: 3_600_000,
} as const;

/** Start of any role. */
export const chainConnectLimits = {
  /** Milliseconds for which a chain that cannot be reached is waited for. */
  waitMs: 10_000,
  pollMs: 100,
} as const;
