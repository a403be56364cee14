import type { Hex32 } from '@commonweight/protocol';

/** What the signed requests of this gateway may still cost, by account: the maxima of those whose receipt has not come. */
export class OpenAmounts {
  readonly #open = new Map<Hex32, bigint>();

  of(account: Hex32): bigint {
    return this.#open.get(account) ?? 0n;
  }

  /** A request over at most `maximum` is signed. What comes of one without a receipt nobody knows, so it stays open until `settle`. */
  add(account: Hex32, maximum: bigint): { readonly settle: () => void } {
    this.#change(account, maximum);
    return { settle: () => this.#change(account, -maximum) };
  }

  #change(account: Hex32, by: bigint): void {
    const sum = this.of(account) + by;
    if (sum === 0n) this.#open.delete(account);
    else this.#open.set(account, sum);
  }
}
