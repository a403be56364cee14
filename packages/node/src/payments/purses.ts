import type { Address } from '@commonweight/protocol';
import type { PaymentBook } from './payment-book.ts';
import type { PaymentRail } from './rail.ts';
import type { Reservation } from './reservation.ts';

/** What an owner of money has, seen from one payment that is being looked at. */
export interface Purse extends Disposable {
  /** As of now, at the chain. */
  balance(): Promise<bigint>;
  /** What the owner has promised, all payments together, that may not be taken off {@link balance} yet: what moved since it was asked counts too. */
  promised(): bigint;
}

interface Watch {
  moved: bigint;
}

/**
 * Payments that are signed one by one and simulated one by one can stand on the same balance: only the sum of an owner's open promises says what it
 * carries. A transfer that is mined and not deep enough counts twice for a moment, which refuses too much and never too little.
 */
export class Purses {
  readonly #rail: Pick<PaymentRail, 'funds'>;
  readonly #book: PaymentBook;
  readonly #watches = new Map<Address, Set<Watch>>();

  constructor(rail: Pick<PaymentRail, 'funds'>, book: PaymentBook) {
    this.#rail = rail;
    this.#book = book;
  }

  open({ from, asset }: Pick<Reservation, 'from' | 'asset'>): Purse {
    const watch: Watch = { moved: 0n };
    const watches = this.#watches.get(from) ?? new Set();
    this.#watches.set(from, watches.add(watch));
    return {
      balance: () => this.#rail.funds(from, asset),
      promised: () => this.#book.state.promised(from, asset) + watch.moved,
      [Symbol.dispose]: () => {
        watches.delete(watch);
        if (watches.size === 0 && this.#watches.get(from) === watches) this.#watches.delete(from);
      },
    };
  }

  /** Called before the books forget a promise that was kept. */
  moved(from: Address, amount: bigint): void {
    for (const watch of this.#watches.get(from) ?? []) watch.moved += amount;
  }
}
