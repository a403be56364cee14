import { type Domain, isInBatch } from '@commonweight/protocol';
import type { ChainFacts } from '../chain-facts.ts';
import { type Outcome, failed, passed, skipped } from '../outcome.ts';
import type { AskedSubject, Subject } from '../subject.ts';

/** Facts count for receipts of the same chain and contract only. */
export const appliesTo = (facts: ChainFacts, domain: Domain): boolean =>
  facts.chainId === domain.chainId && facts.receiptLog === domain.verifyingContract;

/** Runs `check` when the chain was asked, and was the right one. */
function withFacts({ chain, bundle }: AskedSubject, check: (facts: ChainFacts) => Outcome): Outcome {
  if (!chain) return skipped('the chain was not asked');
  if (appliesTo(chain, bundle.domain)) return check(chain);
  return skipped(
    `the signatures are for chain ${bundle.domain.chainId}, contract ${bundle.domain.verifyingContract}; chain ${chain.chainId}, contract ${chain.receiptLog} was asked`,
  );
}

export const checkBatch = (subject: Subject): Outcome =>
  withFacts(subject, ({ batch }) => {
    if (!batch) return skipped("the receipt's batch could not be looked up");
    if (!batch.posted) return skipped('not posted yet; receipts go on chain within seconds, check again');
    if (batch.proof.count !== batch.count)
      return failed(`the proof is for a batch of ${batch.proof.count} receipts, the one on chain has ${batch.count}`);
    const included = isInBatch(subject.receiptId, batch.proof, batch);
    const where = `batch ${subject.bundle.receipt.batch} with root ${batch.root}`;
    return included ? passed(`in ${where}`) : failed(`the proof does not lead from the receipt to ${where}`);
  });

export const checkNode = (subject: AskedSubject): Outcome =>
  withFacts(subject, ({ node }) => {
    const id = subject.node;
    if (!node) return skipped('the node could not be looked up');
    if (!node.registered) return failed(`no node ${id} was registered when this was signed`);
    if (node.sessionKey !== subject.signer) return failed(`node ${id} had the session key ${node.sessionKey}`);
    if (node.bond < node.minimumBond) return failed(`node ${id} has a bond of ${node.bond}, at least ${node.minimumBond} is needed`);
    return passed(`node ${id} holds the session key and a bond of ${node.bond}`);
  });

export const checkModelRegistered = (subject: AskedSubject): Outcome =>
  withFacts(subject, ({ model }) => {
    const { modelId } = subject;
    if (!model) return skipped('the model could not be looked up');
    return model.registered ? passed(`${modelId} is registered`) : failed(`${modelId} is not registered`);
  });
