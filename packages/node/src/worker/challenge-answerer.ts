import { type Chain, ChainError } from '@commonweight/chain';
import { type Address, type Hex32, toHex } from '@commonweight/protocol';
import type { Ledger } from '../journal/ledger.ts';
import { BatchTrees } from './batch-trees.ts';
import type { WorkerLog } from './log.ts';

/** What the answerer needs of the chain. */
export type ChallengeChain = Pick<Chain, 'challengesOf' | 'answerChallenge'>;

export interface ChallengeAnswererOptions {
  readonly node: Address;
  readonly ledger: Ledger;
  readonly chain: ChallengeChain;
  readonly log: WorkerLog;
}

/**
 * Shows receipts in their batches to whoever said on chain that they are missing: silence would cost stake. Which challenges are open is asked for each time, so a
 * crash, a lost answer and a chain that was restored are the same case.
 */
export class ChallengeAnswerer {
  readonly #options: ChallengeAnswererOptions;
  readonly #trees = new BatchTrees();
  /** Open challenges that this node cannot answer: told once each. */
  readonly #hopeless = new Set<Hex32>();

  constructor(options: ChallengeAnswererOptions) {
    this.#options = options;
  }

  /** One pass over what is open. A receipt whose batch is not posted yet is answered in a later pass. Throws what the chain throws. */
  async step(): Promise<void> {
    const { node, chain } = this.#options;
    const open = await chain.challengesOf(node);
    const hopeless = new Set(this.#hopeless);
    this.#hopeless.clear();
    for (const { receipt } of open) {
      if (hopeless.has(receipt)) this.#hopeless.add(receipt);
      else await this.#answer(receipt);
    }
  }

  async #answer(receipt: Hex32): Promise<void> {
    const { ledger, chain, log } = this.#options;
    const found = await ledger.find(receipt);
    // somebody holds a receipt that this journal does not: another process signed with the same key
    if (!found) return this.#giveUp(receipt, 'not in the journal');
    if (!found.batch.posted) return;
    const { index } = found.place;
    try {
      const siblings = this.#trees.of(found.batch).proof(index).map(toHex);
      if (await chain.answerChallenge(receipt, index, siblings)) log.info('challenge_answered', { receipt });
    } catch (error) {
      if (!(error instanceof ChainError && error.details['reason'] === 'TooLate')) throw error;
      this.#giveUp(receipt, 'too late');
    }
  }

  #giveUp(receipt: Hex32, reason: string): void {
    this.#hopeless.add(receipt);
    this.#options.log.error('challenge_lost', { receipt, reason });
  }
}
