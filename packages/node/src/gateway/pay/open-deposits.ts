import { gatewayLimits as limits } from '../../limits.ts';

interface Deposit {
  readonly amount: bigint;
  /** Unix seconds. */
  readonly validBefore: number;
}

/** Signed deposits of one channel that the chain has not shown yet: whoever holds one can use it until it expires, also a node that refused its run. */
export class OpenDeposits {
  /** What the chain said last. */
  #escrow = 0n;
  #signatures = 0;
  /** Signed since then: part of the balance in the books. */
  #fresh: Deposit[] = [];
  /** Signed before, and not in that balance. */
  #missed: Deposit[] = [];

  /** Deposits that were ever signed. */
  get signatures(): number {
    return this.#signatures;
  }

  signed(amount: bigint, validBefore: number): void {
    this.#signatures++;
    if (this.#fresh.length === limits.openDeposits) {
      // as one that holds as long as the later of both: never too little
      const [a, b, ...rest] = this.#fresh as [Deposit, Deposit, ...Deposit[]];
      this.#fresh = [{ amount: a.amount + b.amount, validBefore: Math.max(a.validBefore, b.validBefore) }, ...rest];
    }
    this.#fresh.push({ amount, validBefore });
  }

  /** The chain's word on the balance. What it rose by were deposits; which ones is not known, so those count as open that hold longest. */
  read(balance: bigint): void {
    let rise = balance - this.#escrow;
    this.#escrow = balance;
    const open = [...this.#missed, ...this.#fresh].toSorted((a, b) => a.validBefore - b.validBefore);
    this.#fresh = [];
    this.#missed = [];
    for (const { amount, validBefore } of open) {
      const landed = rise <= 0n ? 0n : rise < amount ? rise : amount;
      rise -= landed;
      if (landed < amount) this.#missed.push({ amount: amount - landed, validBefore });
    }
    // their number is bounded by the caps while they hold, and by this when they do not
    for (let over = this.#missed.length - limits.openDeposits; over > 0; over--) {
      const [a, b] = this.#missed.splice(0, 2) as [Deposit, Deposit];
      this.#missed.unshift({ amount: a.amount + b.amount, validBefore: b.validBefore });
    }
  }

  /** Whether the chain tells something that is not known here. */
  differs(balance: bigint): boolean {
    return balance !== this.#escrow || this.#fresh.length > 0;
  }

  /** What may still come into the channel on top of the balance in the books. @param now - Unix seconds */
  pending(now: number): bigint {
    let sum = 0n;
    for (const { amount, validBefore } of this.#missed) if (validBefore + limits.depositMarginSeconds > now) sum += amount;
    return sum;
  }
}
