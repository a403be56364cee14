/** Every bound of the protocol in one place. A message outside these bounds is refused, never truncated. */
export const limits = {
  /** Bytes of a manifest's canonical JSON. */
  manifestBytes: 1 << 20,
  /** Bytes of a card's canonical JSON. */
  cardBytes: 1 << 18,
  /** Bytes of one stored model file. */
  modelFileBytes: 2 ** 40,
  /** Tensors in a manifest. */
  tensors: 16_384,
  /** Files in a package. */
  files: 64,
  /** Columns of a matrix (SPEC section 2.2: every overflow bound is proved up to here). */
  matrixColumns: 1 << 16,
  /** Rows of a matrix. */
  matrixRows: 1 << 20,
  layers: 512,
  heads: 512,
  headDimension: 256,
  /** Positions of a sequence: prompt and completion together. */
  positions: 1 << 17,
  /** Bytes of a Merkle leaf. */
  leafBytes: 1024,
  /** Leaves of a Merkle tree. */
  merkleLeaves: 2 ** 40,
  /** Siblings of an inclusion proof. */
  proofLength: 40,
  stopIds: 64,
  /** Ids with a bias of their own. */
  logitBias: 1024,
  /** Rules of a grammar; symbols and alternatives of all of them together; characters of one symbol. */
  grammarRules: 4096,
  grammarSymbols: 32_768,
  grammarText: 1024,
  /** Likeliest ids whose probabilities come with a token. */
  topLogprobs: 20,
  /** UTF-16 code units of a stop string: a shown text leaves out no more than one and the last token's text (SPEC section 27). */
  stopStringLength: 64,
  /** Tokens from one signed checkpoint of a stream to the next; one more follows the first token (SPEC section 28). */
  checkpointTokens: 16,
  /** Seconds that a receipt's time may be ahead of the clock of whoever gets it (SPEC section 29). */
  receiptAheadSeconds: 300,
  /** Characters of one x402 header (`PAYMENT-SIGNATURE`, `PAYMENT-REQUIRED`, `PAYMENT-RESPONSE`), base64. */
  paymentHeader: 8192,
  /** Ways to pay that one 402 offers. */
  paymentOffers: 8,
  /** Seconds for which an offer may ask a payment to be valid, and for which it may keep a channel's unused money. */
  authorizationSeconds: 3600,
  withdrawDelay: 30 * 86_400,
  /** Bytes of a payer's signature: 65 of a key, more of a contract. */
  paymentSignatureBytes: 1024,
  /** Bytes of a bundle's JSON, digests included. */
  bundleBytes: 64 << 20,
  /** Depth and nodes of a value that is put into canonical JSON. */
  jsonDepth: 64,
  jsonNodes: 1 << 20,
} as const;
