import { limits as protocolLimits } from '@commonweight/protocol';

/** Every bound of the verifier. */
export const limits = {
  /** Characters of a saved answer: a bundle with its digests, and a stream's text around it. */
  savedCharacters: 2 * protocolLimits.bundleBytes,
  /** Nesting of JSON in a saved answer. */
  savedDepth: protocolLimits.jsonDepth,
  /** Events of a saved stream. */
  streamEvents: 4 * protocolLimits.positions,
  /** Characters of a quoted text in a report or an error. */
  quote: 200,
} as const;
