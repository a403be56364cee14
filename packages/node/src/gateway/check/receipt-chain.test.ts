import { type Hex32, type Receipt, receiptDigest } from '@commonweight/protocol';
import { describe, expect, test } from 'vitest';
import { gatewayLimits as limits } from '../../limits.ts';
import { NodeFailure } from '../network/node-failure.ts';
import { domain, honestReceipt, makeRequest, nonce } from '../testing/answer-fixture.ts';
import type { Segment } from './chain-segment.ts';
import { ReceiptChain } from './receipt-chain.ts';
import { ReceiptInvalid } from './receipt-invalid.ts';

const request = makeRequest([5], { promptPrice: '1000000', completionPrice: '2000000' });

function receipts(count: number): Receipt[] {
  const list: Receipt[] = [];
  for (let i = 0; i < count; i++) {
    const previous = list.at(-1);
    list.push(honestReceipt(request, nonce, { finishReason: 'length', ids: [9], promptIds: [5], ...(previous && { previous }) }).receipt);
  }
  return list;
}

function setUp(stored: readonly Segment[] = []) {
  let saved: readonly Segment[] = stored;
  const chain = new ReceiptChain({
    node: request.node,
    payer: request.payer,
    domain,
    store: { load: async () => saved, save: async (segments) => void (saved = structuredClone(segments)) },
  });
  return { chain, saved: () => saved, links: () => saved.flatMap((segment) => segment.links) };
}

const noFetch = async (): Promise<Receipt> => {
  throw new Error('nothing has to be fetched here');
};
const fetchFrom = (list: readonly Receipt[]) => {
  const byDigest = new Map(list.map((receipt) => [receiptDigest(receipt, domain), receipt]));
  const asked: Hex32[] = [];
  const fetch = async (digest: Hex32): Promise<Receipt> => {
    asked.push(digest);
    const found = byDigest.get(digest);
    if (!found) throw new Error(`no receipt ${digest}`);
    return found;
  };
  return { fetch, asked };
};

async function refusedBy(run: Promise<unknown>): Promise<string> {
  try {
    await run;
  } catch (error) {
    if (error instanceof ReceiptInvalid) return error.check;
    throw error;
  }
  throw new Error('accepted');
}

describe('ReceiptChain', () => {
  test('consecutive receipts, persisted over a restart', async () => {
    const [a, b, c] = receipts(3);
    const { chain, saved } = setUp();
    await chain.accept(a!, noFetch);
    await chain.accept(b!, noFetch);
    const { chain: restarted, links: later } = setUp(saved());
    await restarted.accept(c!, noFetch);
    expect(later().map((link) => link.sequence)).toEqual([0, 1, 2]);
  });

  test('answers that arrive in another order: the gap is fetched, the late one recognised', async () => {
    const list = receipts(4);
    const { chain, links } = setUp();
    const { fetch, asked } = fetchFrom(list);
    await chain.accept(list[3]!, fetch);
    expect(asked).toHaveLength(3);
    await chain.accept(list[1]!, noFetch);
    expect(links()).toHaveLength(4);
  });

  test('parallel calls take turns', async () => {
    const list = receipts(4);
    const { chain, links } = setUp();
    await Promise.all([3, 0, 2, 1].map((i) => chain.accept(list[i]!, fetchFrom(list).fetch)));
    expect(links().map((link) => link.sequence)).toEqual([0, 1, 2, 3]);
  });

  test('sequence: two receipts with one number', async () => {
    const [a, b] = receipts(2);
    const { chain } = setUp();
    await chain.accept(a!, noFetch);
    await chain.accept(b!, noFetch);
    expect(await refusedBy(chain.accept({ ...b!, issuedAt: 5 }, noFetch))).toBe('sequence');
  });

  test('sequence: begins again from 0', async () => {
    const list = receipts(limits.chainWindow + 2);
    const { chain } = setUp();
    for (const receipt of list) await chain.accept(receipt, noFetch);
    expect(await refusedBy(chain.accept(list[0]!, noFetch))).toBe('sequence');
  });

  test('previous: not the receipt before', async () => {
    const [a, b] = receipts(2);
    const { chain } = setUp();
    await chain.accept(a!, noFetch);
    expect(await refusedBy(chain.accept({ ...b!, previous: `0x${'33'.repeat(32)}` as Hex32 }, noFetch))).toBe('previous');
  });

  test('previous: a first receipt that names one', async () => {
    const [a] = receipts(1);
    expect(await refusedBy(setUp().chain.accept({ ...a!, previous: `0x${'33'.repeat(32)}` as Hex32 }, noFetch))).toBe('previous');
  });

  test('previous: the node hands over another receipt for the gap', async () => {
    const list = receipts(3);
    const { chain } = setUp();
    await chain.accept(list[0]!, noFetch);
    expect(await refusedBy(chain.accept(list[2]!, async () => ({ ...list[1]!, issuedAt: 5 })))).toBe('previous');
  });

  test('cumulative_amount: more than the sum, also inside a fetched gap', async () => {
    const [a] = receipts(1);
    expect(await refusedBy(setUp().chain.accept({ ...a!, cumulativeAmount: a!.cumulativeAmount + 1n }, noFetch))).toBe('cumulative_amount');
    const padded = { ...receipts(2)[1]!, cumulativeAmount: 100n };
    const after = honestReceipt(request, nonce, { finishReason: 'length', ids: [9], promptIds: [5], previous: padded }).receipt;
    expect(await refusedBy(setUp().chain.accept(after, fetchFrom([a!, padded]).fetch))).toBe('cumulative_amount');
  });

  test('a refused receipt leaves the chain as it was', async () => {
    const [a, b] = receipts(2);
    const { chain, links } = setUp();
    await chain.accept(a!, noFetch);
    expect(await refusedBy(chain.accept({ ...b!, cumulativeAmount: 0n }, noFetch))).toBe('cumulative_amount');
    await chain.accept(b!, noFetch);
    expect(links()).toHaveLength(2);
  });

  test('a node that served this payer before: as much history as the limit allows, then its word', async () => {
    const list = receipts(limits.chainGap + 10);
    const { chain, links } = setUp();
    await chain.accept(list.at(-1)!, fetchFrom(list).fetch);
    expect(links()).toHaveLength(limits.chainGap + 1);
  });
});

describe('a gap that one answer cannot close', () => {
  const away = async (): Promise<Receipt> => {
    throw new NodeFailure('unreachable', 'hung up');
  };

  test('a long one is closed in stages, over a restart, and the answers are accepted meanwhile', async () => {
    const list = receipts(2 * limits.chainGap + 4);
    const first = setUp();
    await first.chain.accept(list[0]!, noFetch);
    const { fetch, asked } = fetchFrom(list);
    const top = list.length - 3;
    expect(await first.chain.accept(list[top]!, fetch)).toBe(top - 1 - limits.chainGap);
    expect(asked).toHaveLength(limits.chainGap);
    const { chain, saved } = setUp(first.saved());
    expect(await chain.accept(list[top + 1]!, fetch)).toBe(0);
    expect(asked).toHaveLength(top - 1);
    expect(saved()).toHaveLength(1);
    expect(saved()[0]!.links.map(({ sequence }) => sequence)).toEqual(
      list.slice(top + 2 - limits.chainWindow, top + 2).map((r) => r.sequence),
    );
    expect(await chain.accept(list[top + 2]!, noFetch)).toBe(0);
  });

  test('a node that does not hand a receipt over now: the answer is accepted, the gap closed with the next one', async () => {
    const list = receipts(5);
    const { chain, saved } = setUp();
    await chain.accept(list[0]!, noFetch);
    expect(await chain.accept(list[3]!, away)).toBe(2);
    expect(saved()).toHaveLength(2);
    expect(await chain.accept(list[4]!, fetchFrom(list).fetch)).toBe(0);
    expect(saved().map(({ links }) => links.length)).toEqual([5]);
  });

  test('a receipt from inside it is accepted when it comes late, whoever fetches', async () => {
    const list = receipts(6);
    for (const before of [[], [0]]) {
      const { chain, saved } = setUp();
      for (const i of before) await chain.accept(list[i]!, noFetch);
      await chain.accept(list[4]!, away);
      await chain.accept(list[2]!, away);
      await chain.accept(list[2]!, away);
      expect(await chain.accept(list[3]!, away)).toBe(3 - before.length);
      expect(await chain.accept(list[5]!, fetchFrom(list).fetch)).toBe(0);
      expect(saved().map(({ links }) => links.length)).toEqual([6]);
    }
  });

  test('two receipts with one number stay a refusal: beneath, inside and above the gap', async () => {
    const list = receipts(6);
    const other = (i: number): Receipt => ({ ...list[i]!, issuedAt: 5 });
    const inside = setUp();
    await inside.chain.accept(list[0]!, noFetch);
    await inside.chain.accept(list[4]!, away);
    expect(await refusedBy(inside.chain.accept(other(3), away))).toBe('sequence');
    expect(await refusedBy(inside.chain.accept(other(0), away))).toBe('sequence');
    expect(await refusedBy(inside.chain.accept(other(4), away))).toBe('sequence');
    await inside.chain.accept(other(2), away);
    for (const _ of [1, 2]) expect(await refusedBy(inside.chain.accept(list[5]!, fetchFrom(list).fetch))).toBe('sequence');

    const beneath = setUp();
    await beneath.chain.accept(other(1), fetchFrom(list).fetch);
    await beneath.chain.accept(list[4]!, away);
    expect(await refusedBy(beneath.chain.accept(list[5]!, fetchFrom(list).fetch))).toBe('previous');
  });

  test('too many: an error that says what to do, until the node hands its receipts over again', async () => {
    const list = receipts(2 * limits.chainSegments + 4);
    const { chain } = setUp();
    for (let i = 0; i < limits.chainSegments; i++) await chain.accept(list[2 * i]!, away);
    const next = list[2 * limits.chainSegments]!;
    await expect(chain.accept(next, away)).rejects.toThrow(
      /does not hand over receipt 0x[0-9a-f]{64}; .*remove the file of this node from the folder `chains`/,
    );
    expect(await chain.accept(next, fetchFrom(list).fetch)).toBe(0);
  });

  test('too many and long ones: every refused answer closes some of them', async () => {
    const long = 2 * limits.chainGap + 1;
    const short = 2 * (limits.chainSegments - 2);
    const list = receipts(short + 2 * long + 1);
    const { chain } = setUp();
    for (let i = 0; i <= short; i += 2) await chain.accept(list[i]!, away);
    await chain.accept(list[short + long]!, away);
    const { fetch } = fetchFrom(list);
    for (const _ of [1, 2]) expect(await refusedBy(chain.accept(list[short + 2 * long]!, fetch))).toBe('sequence');
    expect(await chain.accept(list[short + 2 * long]!, fetch)).toBeGreaterThan(0);
  });
});
