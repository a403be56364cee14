import { type Address } from '@commonweight/protocol';
import { type AcceptedAsset, type Genesis, type GenesisParameters } from './genesis.ts';

const ether = 10n ** 18n;

/** Terms of a development network: everything that a person waits for takes seconds. */
export const devParameters: Omit<GenesisParameters, 'assets'> = {
  governor: { votingDelay: 1, votingPeriod: 60, proposalThreshold: ether, quorumPercent: 4, timelockDelay: 10 },
  parameters: [
    { name: 'answerWindow', value: 60n, minimum: 1n, maximum: 600n },
    { name: 'auditRate', value: 100n, minimum: 1n, maximum: 10_000n },
    { name: 'challengeBond', value: 10n * ether, minimum: ether, maximum: 1_000n * ether },
    { name: 'delegationRatio', value: 9n, minimum: 0n, maximum: 100n },
    { name: 'disputeWindow', value: 600n, minimum: 1n, maximum: 7_776_000n },
    { name: 'faultPenalty', value: 1_000n, minimum: 100n, maximum: 10_000n },
    { name: 'modelChallengeWindow', value: 600n, minimum: 1n, maximum: 7_776_000n },
    { name: 'modelDeposit', value: ether / 100n, minimum: ether / 1_000n, maximum: 10n * ether },
    { name: 'postingWindow', value: 600n, minimum: 1n, maximum: 600n },
    { name: 'refundWindow', value: 3_600n, minimum: 1n, maximum: 7_776_000n },
    { name: 'slashFraction', value: 10_000n, minimum: 100n, maximum: 10_000n },
    { name: 'thawPeriod', value: 1_200n, minimum: 1_200n, maximum: 7_776_000n },
  ],
  split: { node: 7_000, model: 1_500, parents: 500, auditors: 700, treasury: 300 },
  nodes: { minimumBond: ether / 10n, unbondingDelay: 86_400 },
  auditSeed: { source: 'blockhash' },
};

/** Genesis of a development network: its dev account holds all votes. */
export const devGenesis = (holder: Address, assets: readonly AcceptedAsset[] = []): Genesis => ({
  ...devParameters,
  assets,
  token: { name: 'Commonweight', symbol: 'CWT' },
  holders: [{ name: 'dev account', holder, amount: 1_000_000_000n * ether }],
});
