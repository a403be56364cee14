import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Hex32,
  MerkleTag,
  type Receipt,
  ZERO_HEX32,
  addressOfKey,
  fromHex,
  isSignedBy,
  merkleRoot,
  receiptDigest,
  toHex,
} from '@commonweight/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Ledger } from './ledger.ts';
import { draft, identity, ledgerOptions, payers, sessionKey } from './testing/entries.ts';

const hex32 = (byte: string): Hex32 => `0x${byte.repeat(32)}` as Hex32;
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'commonweight-ledger-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const open = async (): Promise<Ledger> => (await Ledger.open(ledgerOptions(folder))).ledger;

describe('ledger', () => {
  it('numbers, chains, sums and signs receipts per payer', async () => {
    const ledger = await open();
    const a0 = await ledger.issue(draft(0));
    const b0 = await ledger.issue(draft(1, { payer: payers[1]! }));
    const a1 = await ledger.issue(draft(2));
    expect(a0.receipt).toMatchObject({ node: identity.node, sequence: 0, previous: ZERO_HEX32, cumulativeAmount: 5n, batch: 0 });
    expect(b0.receipt).toMatchObject({ sequence: 0, previous: ZERO_HEX32, cumulativeAmount: 5n });
    expect(a1.receipt).toMatchObject({ sequence: 1, previous: a0.digest, cumulativeAmount: 10n });
    expect(a1.digest).toBe(receiptDigest(a1.receipt, identity.domain));
    expect(isSignedBy(a1.digest, a1.signature, addressOfKey(sessionKey))).toBe(true);
    await ledger.close();
  });

  it('sums each account apart: payer, model, asset and channel', async () => {
    const ledger = await open();
    const other = { modelId: hex32('11'), asset: payers[1]!, channel: hex32('22') };
    const sums: bigint[] = [];
    const changes = [{}, { modelId: other.modelId }, { asset: other.asset }, { channel: other.channel }, other, {}, other];
    for (const [n, change] of changes.entries()) sums.push((await ledger.issue({ ...draft(n), ...change })).receipt.cumulativeAmount);
    expect(sums).toEqual([5n, 5n, 5n, 5n, 5n, 10n, 10n]);
    expect(ledger.state.billed(draft(0))).toBe(10n);
    await ledger.close();
  });

  it('goes on after a restart where it was', async () => {
    const first = await open();
    const a0 = await first.issue(draft(0));
    await first.closeBatch();
    const a1 = await first.issue(draft(1));
    await first.markPosted(0);
    await first.close();
    const second = await open();
    expect((await second.find(a0.digest))!.issued).toEqual(a0);
    expect(second.state.batches.map(({ digests, root, posted }) => [digests, root !== undefined, posted])).toEqual([
      [[a0.digest], true, true],
      [[a1.digest], false, false],
    ]);
    expect((await second.issue(draft(2))).receipt).toMatchObject({ sequence: 2, previous: a1.digest, cumulativeAmount: 15n, batch: 1 });
    await second.close();
  });

  it('closes a batch with the Merkle root over its receipts, and no empty one', async () => {
    const ledger = await open();
    await ledger.closeBatch();
    expect(ledger.state.batches).toHaveLength(1);
    const digests = [(await ledger.issue(draft(0))).digest, (await ledger.issue(draft(1))).digest, (await ledger.issue(draft(2))).digest];
    await ledger.closeBatch();
    await ledger.closeBatch();
    expect(ledger.state.batches.map((batch) => batch.root)).toEqual([
      toHex(
        merkleRoot(
          MerkleTag.receipts,
          digests.map((digest) => fromHex(digest, 32)),
        ),
      ),
      undefined,
    ]);
    await ledger.close();
  });

  it('signs one answer to a request, however many are asked for at once', async () => {
    const ledger = await open();
    const all = await Promise.allSettled(Array.from({ length: 5 }, (_, salt) => ledger.issue(draft(0, { salt }))));
    expect(all.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected', 'rejected', 'rejected']);
    expect(all[1]).toMatchObject({ reason: { code: 'journal_order' } });
    expect(ledger.state.receipts).toBe(1);
    await ledger.close();
  });

  it('gives sequence numbers in order to receipts asked for at once', async () => {
    const ledger = await open();
    const all = await Promise.all(Array.from({ length: 20 }, (_, n) => ledger.issue(draft(n))));
    expect(all.map(({ receipt }) => receipt.sequence)).toEqual(Array.from({ length: 20 }, (_, n) => n));
    for (const [i, { receipt }] of all.entries()) expect(receipt.previous).toBe(i === 0 ? ZERO_HEX32 : all[i - 1]!.digest);
    await ledger.close();
  });

  it('refuses the journal of another node or chain', async () => {
    await (await open()).close();
    const options = ledgerOptions(folder);
    const otherChain = { ...identity, domain: { ...identity.domain, chainId: 1 } };
    const otherNode = { ...identity, node: payers[0]! };
    for (const other of [otherChain, otherNode]) {
      await expect(Ledger.open({ ...options, identity: other })).rejects.toMatchObject({ code: 'journal_of_another_node', action: 'stop' });
    }
    await (await open()).close();
  });

  it('never journals a receipt that breaks the order, even when a liar changes it before signing', async () => {
    for (const change of [
      { sequence: 5 },
      { batch: 3 },
      { previous: `0x${'11'.repeat(32)}` },
      { node: payers[1]! },
      { cumulativeAmount: -1n },
    ]) {
      const { ledger } = await Ledger.open({
        ...ledgerOptions(folder),
        beforeSign: (receipt: Receipt) => ({ ...receipt, ...change }) as Receipt,
      });
      await expect(ledger.issue(draft(0))).rejects.toThrow(/do not follow|unsigned integer/);
      expect(ledger.state.receipts).toBe(0);
      await ledger.close();
    }
  });
});
