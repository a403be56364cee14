import { type Address, CommonweightError } from '@commonweight/protocol';
import { workerLimits } from '../limits.ts';
import type { Clock } from '../platform/clock.ts';

/**
 * Work that was done and cannot be billed, because the payer dropped the run without a signed end or ended it before its prompt was
 * processed. Each payer may cause so much of it in a while. Kept in memory: a restart forgives.
 */
export class UnbilledRuns {
  readonly #clock: Clock;
  /** When each payer's runs were lost, oldest first; the payer who lost one last stands last. */
  readonly #lost = new Map<Address, number[]>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @throws CommonweightError `unbilled_limit` when this payer has to wait. */
  check(payer: Address): void {
    const lost = this.#recent(payer);
    if (lost.length < workerLimits.unbilledRuns) return;
    const seconds = Math.ceil((lost[0]! + workerLimits.unbilledWindowMs - this.#clock.now()) / 1000);
    throw new CommonweightError(
      `${lost.length} runs of this payer were dropped without a signed end (POST /v1/end) in the last ${workerLimits.unbilledWindowMs / 60_000} minutes, which nobody can bill; try again in ${seconds} s`,
      { code: 'unbilled_limit', action: 'retry' },
    );
  }

  /** A run of this payer was worked on and gets no receipt. */
  add(payer: Address): void {
    const lost = this.#recent(payer);
    this.#lost.delete(payer);
    this.#lost.set(payer, [...lost, this.#clock.now()].slice(-workerLimits.unbilledRuns));
    const [oldest] = this.#lost.keys();
    if (this.#lost.size > workerLimits.unbilledPayers && oldest !== undefined) this.#lost.delete(oldest);
  }

  #recent(payer: Address): number[] {
    const since = this.#clock.now() - workerLimits.unbilledWindowMs;
    return (this.#lost.get(payer) ?? []).filter((at) => at > since);
  }
}
