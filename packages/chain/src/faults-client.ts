import { type Address, type Hex32, type Receipt, type Signature, finishReasons } from '@commonweight/protocol';
import { parametersAbi, receiptFaultsAbi, stakingAbi, tokenAbi } from './abis.gen.ts';
import { contractCaller } from './contract-caller.ts';
import { type Deployments } from './deployments.ts';
import { ChainError } from './errors.ts';
import { lower } from './lower.ts';
import { readPages } from './pages.ts';
import { type Rpc } from './rpc.ts';
import { type Submitter } from './submitter.ts';
import { stringToHex } from './viem.ts';

/** A receipt and its signature by a session key: evidence against its node. */
export interface SignedReceipt {
  readonly receipt: Receipt;
  readonly signature: Signature;
}

/** What somebody said is missing. */
export interface OmissionChallenge {
  /** Digest of the receipt. */
  readonly receipt: Hex32;
  readonly node: Address;
  readonly batch: number;
  readonly challenger: Address;
  /** Unix seconds; afterwards the node is slashed by anybody's call. */
  readonly answerUntil: number;
}

export interface FaultsClient {
  /**
   * Shows two receipts of one node for one payer that contradict each other: the node is slashed at once, this key gets the reward.
   * Throws `chain_reverted` with reason `NoContradiction`, `AlreadySlashed`, `NotSignedByNode`, `NothingAtStake`.
   */
  reportEquivocation(first: SignedReceipt, second: SignedReceipt): Promise<void>;
  /** Says that a receipt is missing, and deposits the bond. Throws `chain_reverted` with reason `NotYetDue`, `AlreadyChallenged`, ... */
  challengeOmission(evidence: SignedReceipt): Promise<void>;
  /** Shows a challenged receipt in its batch; the node gets the bond. @returns false when somebody has answered before */
  answerChallenge(receipt: Hex32, index: number, siblings: readonly Hex32[]): Promise<boolean>;
  /** Slashes a node that left a challenge unanswered. */
  punishOmission(receipt: Hex32): Promise<void>;
  /** What a node has to answer: open challenges against it, those that are too late to answer included. */
  challengesOf(node: Address): Promise<OmissionChallenge[]>;
}

/** What staking refuses within our call should have a name too. */
const withErrors = [...receiptFaultsAbi, ...stakingAbi.filter((entry) => entry.type === 'error')] as const;

const CHALLENGE_BOND = stringToHex('challengeBond', { size: 32 });

const toEvidence = ({ receipt, signature }: SignedReceipt) => ({
  signature,
  receipt: {
    ...receipt,
    finishReason: finishReasons[receipt.finishReason],
    batch: BigInt(receipt.batch),
    sequence: BigInt(receipt.sequence),
    issuedAt: BigInt(receipt.issuedAt),
  },
});

type Challenge = Pick<OmissionChallenge, 'node' | 'challenger'> & { readonly batch: bigint; readonly answerUntil: bigint };

const toChallenge = (receipt: Hex32, { node, batch, challenger, answerUntil }: Challenge): OmissionChallenge => ({
  receipt,
  node: lower(node),
  batch: Number(batch),
  challenger: lower(challenger),
  answerUntil: Number(answerUntil),
});

const wasAnswered = (error: unknown): boolean => error instanceof ChainError && error.details['reason'] === 'NotChallenged';

export function faultsClient(rpc: Rpc, submitter: Submitter | undefined, deployments: Deployments): FaultsClient {
  const address = deployments.receiptFaults;
  const faults = contractCaller(rpc, submitter, address, withErrors);
  const token = contractCaller(rpc, submitter, deployments.token, tokenAbi);
  const parameters = contractCaller(rpc, submitter, deployments.parameters, parametersAbi);
  /** The contract takes the bond out of an allowance. */
  const allowBond = async (): Promise<void> => {
    if (!submitter) throw new ChainError('chain_read_only', 'a challenge deposits a bond: connect with a private key');
    const bond = await parameters.read('get', [CHALLENGE_BOND]);
    if ((await token.read('allowance', [submitter.account.address, address])) < bond) await token.write('approve', [address, bond]);
  };
  return {
    reportEquivocation: async (first, second) => void (await faults.write('equivocation', [toEvidence(first), toEvidence(second)])),
    challengeOmission: async (evidence) => {
      await allowBond();
      await faults.write('challenge', [toEvidence(evidence)]);
    },
    answerChallenge: async (receipt, index, siblings) => {
      try {
        await faults.write('answer', [receipt, BigInt(index), siblings]);
        return true;
      } catch (error) {
        if (!wasAnswered(error)) throw error;
        return false;
      }
    },
    punishOmission: async (receipt) => void (await faults.write('punish', [receipt])),
    challengesOf: async (node) => {
      const page = (offset: bigint, limit: bigint) => faults.read('openChallengesOf', [node, offset, limit]);
      const open = await readPages(page, ({ receipt }) => receipt);
      return open.map(({ receipt, challenge }) => toChallenge(receipt, challenge));
    },
  };
}
