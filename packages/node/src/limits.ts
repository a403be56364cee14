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
  stopStringLength: 64,
  /** Entries of `provider.only`, `order` and `ignore`. */
  providerEntries: 64,
  /** Chat requests in progress; one more gets 429. */
  concurrentRequests: 64,
  /** Nodes tried for one request before it fails. */
  attempts: 4,
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
  firstFrameMs: 10_000,
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
  /** Milliseconds for which the list of nodes is used before it is read again. */
  nodesFreshMs: 3000,
  /** Milliseconds for which a node that failed (could not be reached, cut the answer) is asked last. */
  failedAvoidMs: 5000,
  /** Milliseconds for which a node whose answer was refused is not asked unless it is named in `provider.only`. */
  refusedAvoidMs: 600_000,
  /** Receipts fetched to close a gap in a node's sequence. */
  chainGap: 64,
  /** Receipts remembered per node, to recognise one that arrives late. */
  chainWindow: 256,
  /** Bundles kept on disk; the oldest is removed. */
  bundles: 10_000,
  /** Refused answers kept as evidence; the oldest is removed. */
  refusals: 1000,
  /** Milliseconds between keepalive comments of a stream that waits. */
  keepaliveMs: 10_000,
  /** Seconds that a client is told to wait when every node is full. */
  retryAfterSeconds: 1,
} as const;
