import { type Address, type Domain, type Hex32, type Receipt, receiptDigest } from '@commonweight/protocol';
import { gatewayLimits as limits } from '../../limits.ts';
import { Mutex } from '../../platform/mutex.ts';
import { NodeFailure } from '../network/node-failure.ts';
import { type ChainLink, type Gap, type Segment, jointOf, linkOf, requireJoint } from './chain-segment.ts';
import { ReceiptInvalid } from './receipt-invalid.ts';

export interface ChainStore {
  /** Segments in order; empty when nothing is known. */
  readonly load: () => Promise<readonly Segment[]>;
  /** Durable when it returns. */
  readonly save: (segments: readonly Segment[]) => Promise<void>;
}

/** Asks the node for one of its receipts by digest. A NodeFailure leaves the gap open for later. */
export type FetchReceipt = (digest: Hex32) => Promise<Receipt>;

/** Receipts fetched in one turn. `failed`: the node did not hand one over, this turn asks no more. */
interface Turn {
  readonly fetch: FetchReceipt;
  left: number;
  failed: boolean;
}

/**
 * The receipts of one node for one payer, as this gateway has seen them: consecutive, each naming the one before.
 * Answers of parallel runs may arrive in another order than they were signed, and one may never have arrived: the receipts in
 * between are fetched from the node along the `previous` digests, which a signature covers already. A gap that one turn cannot close, because
 * it is long or the node does not answer, stays open under the new receipt, and every later turn goes on with it.
 */
export class ReceiptChain {
  readonly #node: Address;
  readonly #payer: Address;
  readonly #domain: Domain;
  readonly #store: ChainStore;
  #segments: readonly Segment[] | undefined;
  readonly #turns = new Mutex();

  constructor(options: { node: Address; payer: Address; domain: Domain; store: ChainStore }) {
    this.#node = options.node;
    this.#payer = options.payer;
    this.#domain = options.domain;
    this.#store = options.store;
  }

  /**
   * Adds a receipt whose signature was checked; durable when it returns.
   * @returns how many receipts are missing in gaps that are still open.
   * @throws ReceiptInvalid (`sequence`, `previous`, `cumulative_amount`), and whatever `fetch` throws besides NodeFailure.
   */
  accept(receipt: Receipt, fetch: FetchReceipt): Promise<number> {
    return this.#turns.run(() => this.#accept(receipt, fetch));
  }

  /** The last known sum of an account; 0 when none of the remembered receipts is of it. */
  async billed(account: Hex32): Promise<bigint> {
    const segments = this.#segments ?? (await this.#store.load());
    const last = segments.flatMap(({ links }) => links).findLast((link) => link.channel === account);
    return last?.cumulativeAmount ?? 0n;
  }

  async #accept(receipt: Receipt, fetch: FetchReceipt): Promise<number> {
    this.#segments ??= await this.#store.load();
    const link = linkOf(receipt, this.#domain);
    const turn: Turn = {
      fetch: async (digest) => (digest === link.digest ? receipt : fetch(digest)),
      left: limits.chainGap,
      failed: false,
    };
    const last = this.#segments.at(-1)?.links.at(-1);
    const added =
      last && link.sequence <= last.sequence ? addLate(this.#segments, link) : await this.#append(this.#segments, receipt, link, turn);
    if (!added) return missing(this.#segments);
    const closed = await this.#closeGaps(added, turn);
    if (closed.length > limits.chainSegments) {
      // what was fetched for the older gaps is kept, so that a node that answers again gets out of this
      await this.#keep(await this.#closeGaps(this.#segments, { ...turn, left: limits.chainGap }));
      throw tooManyGaps(closed);
    }
    await this.#keep(closed);
    return missing(closed);
  }

  async #keep(segments: readonly Segment[]): Promise<void> {
    await this.#store.save(segments);
    this.#segments = segments;
  }

  /** With a receipt after the last one: in its segment when nothing is missing between them, else in a new one above a gap. */
  async #append(segments: readonly Segment[], receipt: Receipt, link: ChainLink, turn: Turn): Promise<Segment[]> {
    const last = segments.at(-1)?.links.at(-1);
    const walked = await this.#walk({ joint: jointOf(receipt), until: last ? last.sequence + 1 : 0, seen: [] }, turn);
    const upper = { links: [...walked.links, link], gap: walked.gap };
    if (last || walked.gap.joint.sequence === 0) return joined(segments, upper);
    // of a node that this gateway did not know, as much history as one turn may fetch; then its word
    if (!turn.failed) return [{ links: upper.links }];
    const until = Math.max(0, receipt.sequence - limits.chainGap);
    return [{ ...upper, gap: { ...walked.gap, until } }];
  }

  /** Goes on with every open gap, the newest first, as far as the turn allows. */
  async #closeGaps(segments: readonly Segment[], turn: Turn): Promise<Segment[]> {
    let result = [...segments];
    for (let i = segments.length - 1; i >= 0; i--) {
      const { links, gap } = result[i]!;
      if (!gap) continue;
      const walked = await this.#walk(gap, turn);
      const upper = { links: [...walked.links, ...links].slice(-limits.chainWindow), gap: walked.gap };
      result = [...joined(result.slice(0, i), upper), ...result.slice(i + 1)];
    }
    return result;
  }

  /** Fetches receipts down to `gap.until`; what is left is the gap that it returns. */
  async #walk(gap: Gap, turn: Turn): Promise<{ links: ChainLink[]; gap: Gap }> {
    const links: ChainLink[] = [];
    let { joint } = gap;
    while (joint.sequence > gap.until) {
      const before = await take(joint.previous, turn);
      if (!before) break;
      const link = linkOf(before, this.#domain);
      const fits =
        receiptDigest(before, this.#domain) === joint.previous &&
        before.node === this.#node &&
        before.payer === this.#payer &&
        before.sequence === joint.sequence - 1;
      if (!fits) throw new ReceiptInvalid('previous', `receipt ${joint.sequence} does not name the receipt before it`);
      requireJoint(joint, link);
      const seen = gap.seen.find(({ sequence }) => sequence === link.sequence);
      if (seen && seen.digest !== link.digest) throw twoReceipts(link.sequence);
      links.unshift(link);
      joint = jointOf(before);
    }
    return { links, gap: { ...gap, joint, seen: gap.seen.filter(({ sequence }) => sequence < joint.sequence) } };
  }
}

async function take(digest: Hex32, turn: Turn): Promise<Receipt | undefined> {
  if (turn.failed || turn.left === 0) return undefined;
  turn.left--;
  try {
    return await turn.fetch(digest);
  } catch (error) {
    // the answer at hand is signed and checked: that an older receipt cannot be had now is no reason to lose it
    if (!(error instanceof NodeFailure)) throw error;
    turn.failed = true;
    return undefined;
  }
}

/** `upper` above `lower`: as one segment when nothing is missing between them. */
function joined(lower: readonly Segment[], upper: Segment & { readonly gap: Gap }): Segment[] {
  const below = lower.at(-1);
  const floor = below?.links.at(-1);
  const { joint, until } = upper.gap;
  if (joint.sequence > until) return [...lower, upper];
  if (floor || until === 0) requireJoint(joint, floor);
  if (!below) return [{ links: upper.links }];
  const links = [...below.links, ...upper.links].slice(-limits.chainWindow);
  return [...lower.slice(0, -1), { links, ...(below.gap && { gap: below.gap }) }];
}

/** With a receipt that is not after the last one: undefined when it is known, a note in its gap when one is open there. */
function addLate(segments: readonly Segment[], { sequence, digest }: ChainLink): Segment[] | undefined {
  const known = segments.flatMap(({ links, gap }) => [...links, ...(gap?.seen ?? [])]).find((link) => link.sequence === sequence);
  if (known) {
    if (known.digest === digest) return undefined;
    throw twoReceipts(sequence);
  }
  const at = segments.findIndex(({ gap }) => gap && gap.until <= sequence && sequence < gap.joint.sequence);
  const found = segments[at];
  if (!found?.gap) {
    throw new ReceiptInvalid('sequence', `expected at least ${segments[0]?.links[0]?.sequence ?? 0}, the receipt says ${sequence}`);
  }
  const { gap } = found;
  if (sequence === gap.joint.sequence - 1 && digest !== gap.joint.previous) throw twoReceipts(sequence);
  if (gap.seen.length >= limits.chainSeen) throw tooManyGaps(segments);
  return segments.with(at, { ...found, gap: { ...gap, seen: [...gap.seen, { sequence, digest }] } });
}

const missing = (segments: readonly Segment[]): number =>
  segments.reduce((sum, { gap }) => sum + (gap ? gap.joint.sequence - gap.until : 0), 0);

const twoReceipts = (sequence: number): ReceiptInvalid =>
  new ReceiptInvalid('sequence', `the node signed two receipts with sequence number ${sequence}`);

function tooManyGaps(segments: readonly Segment[]): ReceiptInvalid {
  const joint = segments.find(({ gap }) => gap)?.gap?.joint;
  return new ReceiptInvalid(
    'sequence',
    `${missing(segments)} receipts of this node are missing in too many gaps, because it does not hand over receipt ${joint?.previous}; ` +
      'its operator must bring it back, or stop the gateway and remove the file of this node from the folder `chains` of its data to begin anew',
  );
}
