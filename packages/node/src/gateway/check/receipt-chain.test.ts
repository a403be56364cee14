import { type Hex32, type Receipt, receiptDigest } from '@commonweight/protocol';
import { describe, expect, test } from 'vitest';
import { gatewayLimits as limits } from '../../limits.ts';
import { domain, honestReceipt, makeRequest, nonce } from '../testing/answer-fixture.ts';
import { type ChainLink, ReceiptChain } from './receipt-chain.ts';
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

function setUp(stored: readonly ChainLink[] = []) {
  let saved: readonly ChainLink[] = stored;
  const chain = new ReceiptChain({
    node: request.node,
    payer: request.payer,
    domain,
    store: { load: async () => saved, save: async (links) => void (saved = [...links]) },
  });
  return { chain, saved: () => saved };
}

const noFetch = async (): Promise<Receipt> => {
  throw new Error('nothing has to be fetched here');
};
const fetchFrom = (list: readonly Receipt[]) => {
  const asked: Hex32[] = [];
  const fetch = async (digest: Hex32): Promise<Receipt> => {
    asked.push(digest);
    const found = list.find((receipt) => receiptDigest(receipt, domain) === digest);
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
    const { chain: restarted, saved: later } = setUp(saved());
    await restarted.accept(c!, noFetch);
    expect(later().map((link) => link.sequence)).toEqual([0, 1, 2]);
  });

  test('answers that arrive in another order: the gap is fetched, the late one recognised', async () => {
    const list = receipts(4);
    const { chain, saved } = setUp();
    const { fetch, asked } = fetchFrom(list);
    await chain.accept(list[3]!, fetch);
    expect(asked).toHaveLength(3);
    await chain.accept(list[1]!, noFetch);
    expect(saved()).toHaveLength(4);
  });

  test('parallel calls take turns', async () => {
    const list = receipts(4);
    const { chain, saved } = setUp();
    await Promise.all([3, 0, 2, 1].map((i) => chain.accept(list[i]!, fetchFrom(list).fetch)));
    expect(saved().map((link) => link.sequence)).toEqual([0, 1, 2, 3]);
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

  test('sequence: a gap beyond the limit', async () => {
    const list = receipts(limits.chainGap + 3);
    const { chain } = setUp();
    await chain.accept(list[0]!, noFetch);
    expect(await refusedBy(chain.accept(list.at(-1)!, fetchFrom(list).fetch))).toBe('sequence');
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
    const { chain, saved } = setUp();
    await chain.accept(a!, noFetch);
    expect(await refusedBy(chain.accept({ ...b!, cumulativeAmount: 0n }, noFetch))).toBe('cumulative_amount');
    await chain.accept(b!, noFetch);
    expect(saved()).toHaveLength(2);
  });

  test('a node that served this payer before: as much history as the limit allows, then its word', async () => {
    const list = receipts(limits.chainGap + 10);
    const { chain, saved } = setUp();
    await chain.accept(list.at(-1)!, fetchFrom(list).fetch);
    expect(saved()).toHaveLength(limits.chainGap + 1);
  });
});
