import { type Address } from '@commonweight/protocol';
import { type ParameterName } from './parameter-units.ts';

/** Who holds how many votes at genesis. */
export interface Holding {
  readonly name: string;
  /** Undefined while nobody has been named: such a genesis is read, and never deployed. */
  readonly holder: Address | undefined;
  /** In units of 1e-18. */
  readonly amount: bigint;
}

export interface GenesisAllocation {
  readonly token: { readonly name: string; readonly symbol: string };
  readonly holders: readonly Holding[];
}

/** How proposals run. Times in seconds. */
export interface GovernorTerms {
  readonly votingDelay: number;
  readonly votingPeriod: number;
  /** Votes that a proposer needs, in units of 1e-18. */
  readonly proposalThreshold: bigint;
  readonly quorumPercent: number;
  /** Between queueing and execution. */
  readonly timelockDelay: number;
}

export interface BoundedParameter {
  readonly name: ParameterName;
  readonly value: bigint;
  readonly minimum: bigint;
  readonly maximum: bigint;
}

/** Parts of a payment in basis points; they sum to 10,000. */
export interface Split {
  readonly node: number;
  readonly model: number;
  readonly parents: number;
  readonly auditors: number;
  readonly treasury: number;
}

export interface AcceptedAsset {
  readonly name: string;
  /** The chain on which it is accepted; undefined on whichever one is deployed to. */
  readonly chainId: number | undefined;
  readonly asset: Address;
  /** Stake in units of 1e-18 that 1e18 units of the asset lock. */
  readonly ratio: bigint;
}

/** Where the randomness of audits comes from. */
export type AuditSeedTerms =
  /** Its beacon for the EVM; `margin`: seconds between a posting and the earliest round that may draw for it. */
  | { readonly source: 'drand'; readonly margin: number }
  /** Development chains only: the contract refuses others. */
  | { readonly source: 'blockhash' };

export interface GenesisParameters {
  readonly governor: GovernorTerms;
  readonly parameters: readonly BoundedParameter[];
  readonly split: Split;
  readonly assets: readonly AcceptedAsset[];
  /** Wei that a node bonds, and seconds from its request to exit to its withdrawal. */
  readonly nodes: { readonly minimumBond: bigint; readonly unbondingDelay: number };
  readonly auditSeed: AuditSeedTerms;
}

/** All terms of a network, from which, with the code, every address follows. */
export interface Genesis extends GenesisAllocation, GenesisParameters {}
