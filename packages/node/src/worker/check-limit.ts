import { type CanonicalRequest, CommonweightError, maximumAmount } from '@commonweight/protocol';
import { type Prices, chargedPrices } from './check-run.ts';

type Billed = Pick<CanonicalRequest, 'promptTokens' | 'maxTokens' | 'promptPrice' | 'completionPrice' | 'cumulativeLimit'>;
type Asked = Pick<Prices, 'promptPrice' | 'completionPrice'>;

/**
 * Whether every receipt of this account stays within its own request's limit, in whichever order its runs end.
 * @param billed - the account's sum so far
 * @param open - requests of the account's runs in progress
 * @throws CommonweightError `limit_too_low` when this request does not allow for what the account can reach, `channel_busy` when one in progress does not
 */
export function checkLimit(request: Billed, open: readonly Billed[], billed: bigint, offer: Asked): void {
  const maximum = (of: Billed): bigint => maximumAmount(of, chargedPrices(of, offer));
  const running = open.reduce((sum, other) => sum + maximum(other), 0n);
  const expected = billed + running + maximum(request);
  const got = BigInt(request.cumulativeLimit);
  if (got < expected) {
    throw new CommonweightError(
      `request.cumulativeLimit: expected at least ${expected} (${billed} billed, ${running} for ${open.length} runs in progress, this run's maximum), got ${got}; sign a request with a higher limit`,
      { code: 'limit_too_low', field: 'request.cumulativeLimit', details: { expected: String(expected), got: String(got) } },
    );
  }
  const least = open.map(({ cumulativeLimit }) => BigInt(cumulativeLimit)).reduce((a, b) => (b < a ? b : a), got);
  if (least < expected) {
    throw new CommonweightError(
      `request.channel: with this run the account could reach ${expected}, a run in progress on it allows only ${least}; wait until that is over, and sign limits with room for parallel runs`,
      { code: 'channel_busy', action: 'retry', field: 'request.channel', details: { expected: String(expected), got: String(least) } },
    );
  }
}
