/** What the nodes of a development network ask: millionths of a test dollar per million tokens. Small, and not zero: so that every answer is paid for. */
export const devPrices = { promptPrice: '50000', completionPrice: '200000' } as const;

/** What its gateway may spend: millionths of a test dollar. A channel is filled dollar by dollar. */
export const devCaps = { maxPerRequest: '1000000', maxPerDay: '100000000', maxDeposit: '10000000', depositStep: '1000000' } as const;

/** What its gateway starts with. */
export const PAYER_DOLLARS = 1_000n * 1_000_000n;

/** What stands behind each of its nodes, in units of 1e-18 tokens: enough for a thousand dollars of revenue whose dispute window is open. */
export const NODE_STAKE = 1_000n * 10n ** 18n;

/** Milliseconds between two rounds in which a node takes what it has earned: short, so that it can be watched. */
export const CLAIM_INTERVAL_MS = 60_000;

/** Prices as people read them. */
export const priceLine = (): string => {
  const dollars = (millionths: string): string => (Number(millionths) / 1e6).toFixed(2);
  return `${dollars(devPrices.promptPrice)} test dollars for a million prompt tokens, ${dollars(devPrices.completionPrice)} for a million of the answer`;
};
