/** Every bound of this package in one place. Times are milliseconds. */
export const limits = {
  /** One JSON-RPC call. */
  rpcTimeout: 5_000,
  /** Times a read is asked whose block is not quite there yet, and the pause between them. */
  readAttempts: 5,
  readPause: 50,
  /** Bytes of one JSON-RPC answer; the largest is a dump of a development chain. */
  rpcAnswerBytes: 256 << 20,
  /** A dump of the development chain's whole state. */
  dumpTimeout: 60_000,
  /** Transactions of one key that wait for their turn. */
  queuedTransactions: 256,
  /** Transactions of one key that wait for their block beside each other (nodes keep few of one account). */
  flyingTransactions: 16,
  /** Gas beyond an estimate and a fifth of it: one word that has to be written anew costs 20,000. */
  gasReserve: 30_000n,
  /** A transaction without a receipt is handed to the node again: nodes drop transactions. */
  rebroadcastAfter: 5_000,
  /** How long a transaction is waited for while the node does not answer. */
  unreachableWait: 300_000,
  /** From sending a transaction to its receipt; then it is replaced with a higher fee. */
  receiptTimeout: 60_000,
  /** First and longest pause between two looks for a receipt. */
  receiptPollFirst: 10,
  receiptPollLongest: 1_000,
  /** Times one transaction is replaced, or sent again after a foreign transaction took its nonce. */
  replacements: 3,
  /** Raise of both fees at a replacement, in percent (nodes ask for at least 10). */
  replacementRaise: 25n,
  /** Blocks, counted back from the newest, in which the settlement of a payment is looked for. */
  settlementBlocks: 5_000n,
  /** Blocks that a reorganisation may take away: what was seen in one may lie so much lower afterwards. */
  reorganisation: 256n,
  /** Transfers of one amount from one payer to one payee that are looked at for one settlement. */
  settlementCandidates: 256,
  /** From the first try to settle a payment to its confirmation, reorganisations and silence of the node included. */
  settleFinally: 900_000,
  /** Times a payment's transaction may be mined and revert: what it stood on changed before it. */
  settleReverts: 3,
  /** Pause after a try that failed for a reason that passes. */
  settleRetry: 1_000,
  /** Channels claimed in one transaction (50 cost about 1.2 million gas). */
  claimRows: 100,
  /** Receipts that a facilitator keeps for the one look that follows a transaction. */
  rememberedReceipts: 1_024,
  /** Entries asked for in one page of a list. */
  page: 64,
  /** Nodes of one page: with 64 priced models each they still fit the 30 million gas that an RPC endpoint gives a call. */
  nodesPage: 32,
  /** Pages of one list. */
  pages: 1_024,
  /** Blocks of one question for events (the least that large providers allow), halved when it is refused; and events of one answer. */
  logBlocks: 10_000,
  events: 100_000,
  /** Holders and assets named in a genesis: they are arguments of one transaction. */
  genesisHolders: 400,
  genesisAssets: 16,
  /** Least time between two snapshots of the development chain. */
  snapshotInterval: 2_000,
  /** From spawning anvil to its open port. */
  anvilStart: 20_000,
  /** From asking the guard to stop to its end: one last snapshot. */
  guardStop: 30_000,
  /** From spawning the guard to its ready message: waits for a predecessor that is writing its last snapshot. */
  guardStart: 60_000,
  /** How long a start waits for another guard of the same data directory to end. */
  lockWait: 4_000,
  lockPoll: 50,
  /** Bytes of anvil's or the guard's error output that are kept for a message. */
  errorOutput: 4_096,
} as const;
