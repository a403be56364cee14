import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ChainError, type OmissionChallenge } from '@commonweight/chain';
import { type Hex32, MerkleTag, fromHex, verifyInclusion } from '@commonweight/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Ledger } from '../journal/ledger.ts';
import { draft, identity, ledgerOptions, payers } from '../journal/testing/entries.ts';
import { ChallengeAnswerer, type ChallengeChain } from './challenge-answerer.ts';
import { RecordingLog } from './testing/recording-log.ts';

let folder: string;
let ledger: Ledger;
let chain: ChallengedChain;
let log: RecordingLog;
let answerer: ChallengeAnswerer;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'commonweight-answerer-'));
  ({ ledger } = await Ledger.open(ledgerOptions(folder)));
  chain = new ChallengedChain();
  log = new RecordingLog();
  answerer = new ChallengeAnswerer({ node: identity.node, ledger, chain, log });
});
afterEach(async () => {
  await ledger.close();
  await rm(folder, { recursive: true, force: true });
});

/** The contract's rules over the batches of the journal that are posted. */
class ChallengedChain implements ChallengeChain {
  open = new Map<Hex32, OmissionChallenge>();
  answers: Hex32[] = [];
  fault: ChainError | undefined;

  challenge(receipt: Hex32): void {
    this.open.set(receipt, { receipt, node: identity.node, batch: 0, challenger: payers[0]!, answerUntil: 1_800_000_000 });
  }

  challengesOf = async () => [...this.open.values()];

  answerChallenge = async (receipt: Hex32, index: number, siblings: readonly Hex32[]): Promise<boolean> => {
    if (this.fault) throw this.fault;
    if (!this.open.delete(receipt)) return false;
    const { root, posted, digests } = ledger.state.batches.find((batch) => batch.digests.includes(receipt))!;
    const proof = { index, count: digests.length, siblings: siblings.map((sibling) => fromHex(sibling, 32)) };
    if (!posted || !verifyInclusion(MerkleTag.receipts, fromHex(receipt, 32), proof, fromHex(root!, 32)))
      throw new ChainError('chain_reverted', 'not included', { details: { reason: 'NotIncluded' } });
    this.answers.push(receipt);
    return true;
  };
}

const issue = async (count: number): Promise<Hex32[]> => {
  const digests: Hex32[] = [];
  for (let i = 0; i < count; i++) digests.push((await ledger.issue(draft(ledger.state.receipts))).digest);
  return digests;
};
const post = async (): Promise<void> => {
  await ledger.closeBatch();
  await ledger.markPosted(ledger.state.batches.length - 2);
};

describe('challenge answerer', () => {
  it('shows every challenged receipt in its batch', async () => {
    const first = await issue(5);
    await post();
    const second = await issue(3);
    await post();
    for (const receipt of [first[0]!, first[4]!, second[2]!]) chain.challenge(receipt);
    await answerer.step();
    expect(chain.answers).toEqual([first[0], first[4], second[2]]);
    expect(log.of('challenge_answered').map(({ fields }) => fields['receipt'])).toEqual(chain.answers);
    await answerer.step();
    expect(chain.answers).toHaveLength(3);
  });

  it('waits for the batch of a receipt to be posted', async () => {
    const [receipt] = await issue(2);
    chain.challenge(receipt!);
    await answerer.step();
    expect(chain.answers).toEqual([]);
    await post();
    await answerer.step();
    expect(chain.answers).toEqual([receipt]);
    expect(log.of('challenge_lost')).toEqual([]);
  });

  it('tells once of a receipt that its journal does not hold, and goes on', async () => {
    const [receipt] = await issue(1);
    await post();
    const foreign = `0x${'77'.repeat(32)}` as const;
    chain.challenge(foreign);
    chain.challenge(receipt!);
    await answerer.step();
    await answerer.step();
    expect(chain.answers).toEqual([receipt]);
    expect(log.of('challenge_lost').map(({ fields }) => fields)).toEqual([{ receipt: foreign, reason: 'not in the journal' }]);
  });

  it('tells once that it came too late; throws what the chain throws', async () => {
    const [receipt] = await issue(1);
    await post();
    chain.challenge(receipt!);
    chain.fault = new ChainError('chain_unreachable', 'no chain');
    await expect(answerer.step()).rejects.toMatchObject({ code: 'chain_unreachable' });
    chain.fault = new ChainError('chain_reverted', 'too late', { details: { reason: 'TooLate' } });
    await answerer.step();
    await answerer.step();
    expect(log.of('challenge_lost').map(({ fields }) => fields)).toEqual([{ receipt, reason: 'too late' }]);
  });
});
