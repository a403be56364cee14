import { type Address, type Hex32 } from '@commonweight/protocol';
import { commonweightGovernorAbi, fundAbi, parametersAbi, specVerifiersAbi, timelockControllerAbi, tokenAbi } from '../abis.gen.ts';
import { checkChainId, checkDeployments } from '../check-chain.ts';
import { contractCaller } from '../contract-caller.ts';
import { type Deployments } from '../deployments.ts';
import { ChainError } from '../errors.ts';
import { type Rpc, connectRpc } from '../rpc.ts';
import { Submitter } from '../submitter.ts';
import { type Hex, hexToString, keccak256, stringToHex } from '../viem.ts';
import { type Action, type Proposal, type ProposalState, readProposals } from './proposals.ts';

export interface NamedParameter {
  readonly name: string;
  readonly value: bigint;
  readonly minimum: bigint;
  readonly maximum: bigint;
}

/** `Governor`'s numbers. */
const support = { against: 0, for: 1, abstain: 2 } as const;
export type Vote = keyof typeof support;

export interface Voter {
  /** Tokens, in units of 1e-18. */
  readonly balance: bigint;
  /** Votes that count: own and delegated ones. Tokens count only once they are delegated, to oneself or another. */
  readonly votes: bigint;
  readonly delegate: Address;
}

/** The vote of a network: read by anybody, driven by who holds votes. Whoever pays the gas may queue and execute. */
export interface GovernanceClient {
  readonly deployments: Deployments;
  readonly account: Address | undefined;
  readonly parameters: () => Promise<NamedParameter[]>;
  readonly proposals: () => Promise<Proposal[]>;
  /** By number, or the beginning of its hexadecimal spelling; throws `no_proposal`. */
  readonly proposal: (id: string) => Promise<Proposal>;
  readonly voter: (address: Address) => Promise<Voter>;
  readonly propose: (actions: readonly Action[], description: string) => Promise<bigint>;
  readonly vote: (proposal: Proposal, vote: Vote, reason?: string) => Promise<Hex>;
  readonly delegate: (to: Address) => Promise<Hex>;
  readonly queue: (proposal: Proposal) => Promise<Hex>;
  readonly execute: (proposal: Proposal) => Promise<Hex>;
}

export interface GovernanceOptions {
  readonly rpcUrl: string;
  readonly deployments: Deployments;
  readonly privateKey?: Hex32 | undefined;
}

/** Refusals of what a proposal calls pass through the governor: it has to know their names. */
const governorAbi = [
  ...commonweightGovernorAbi,
  ...errorsOf(parametersAbi),
  ...errorsOf(specVerifiersAbi),
  ...errorsOf(fundAbi),
  ...errorsOf(timelockControllerAbi),
] as const;

function errorsOf<const A extends readonly { readonly type: string }[]>(abi: A): Extract<A[number], { type: 'error' }>[] {
  return abi.filter((item) => item.type === 'error') as Extract<A[number], { type: 'error' }>[];
}

/** Connects, and checks that the endpoint serves the chain of the deployment. */
export async function connectGovernance({ rpcUrl, deployments, privateKey }: GovernanceOptions): Promise<GovernanceClient> {
  const rpc = connectRpc(rpcUrl, deployments.chainId);
  await checkChainId(rpc);
  await checkDeployments(rpc, deployments);
  const submitter = privateKey === undefined ? undefined : new Submitter({ rpc, privateKey });
  const governor = contractCaller(rpc, submitter, deployments.governor, governorAbi);
  const token = contractCaller(rpc, submitter, deployments.token, tokenAbi);
  const parameters = contractCaller(rpc, submitter, deployments.parameters, parametersAbi);
  const proposals = () => readProposals(rpc, deployments);
  return {
    deployments,
    account: submitter?.account.address,
    parameters: async () =>
      (await parameters.read('all', [])).map(({ name, parameter }) => ({
        name: hexToString(name, { size: 32 }).replaceAll('\0', ''),
        ...parameter,
      })),
    proposals,
    proposal: async (id) => find(await proposals(), id),
    voter: async (address) => {
      const [balance, votes, delegate] = await Promise.all([
        token.read('balanceOf', [address]),
        token.read('getVotes', [address]),
        token.read('delegates', [address]),
      ]);
      return { balance, votes, delegate: delegate.toLowerCase() as Address };
    },
    propose: async (actions, description) => {
      if (actions.length === 0) throw new ChainError('bad_proposal', 'expected at least one change, got none');
      const { targets, values, calls } = columns(actions);
      await governor.write('propose', [targets, values, calls, description]);
      return governor.read('hashProposal', [targets, values, calls, hashOf(description)]);
    },
    vote: async (proposal, vote, reason = '') => {
      await requireState(rpc, proposal, ['active'], 'votes are counted');
      return (await governor.write('castVoteWithReason', [proposal.id, support[vote], reason])).transactionHash;
    },
    delegate: async (to) => (await token.write('delegate', [to])).transactionHash,
    queue: async (proposal) => {
      await requireState(rpc, proposal, ['succeeded'], 'it can be queued');
      const { targets, values, calls } = columns(proposal.actions);
      return (await governor.write('queue', [targets, values, calls, hashOf(proposal.description)])).transactionHash;
    },
    execute: async (proposal) => {
      await requireState(rpc, proposal, ['queued'], 'it can be executed');
      const { targets, values, calls } = columns(proposal.actions);
      return (await governor.write('execute', [targets, values, calls, hashOf(proposal.description)])).transactionHash;
    },
  };
}

const hashOf = (description: string): Hex => keccak256(stringToHex(description));

const columns = (actions: readonly Action[]): { targets: Address[]; values: bigint[]; calls: Hex[] } => ({
  targets: actions.map(({ target }) => target),
  values: actions.map(({ value }) => value),
  calls: actions.map(({ data }) => data),
});

export const hexOf = (id: bigint): string => `0x${id.toString(16).padStart(64, '0')}`;

function find(proposals: readonly Proposal[], id: string): Proposal {
  const matching = proposals.filter(
    (proposal) => String(proposal.id) === id || (/^0x[0-9a-f]{4,64}$/u.test(id) && hexOf(proposal.id).startsWith(id)),
  );
  if (matching.length === 1) return matching[0]!;
  const reason = matching.length === 0 ? `there is none among ${proposals.length}` : `${matching.length} begin like this`;
  throw new ChainError(
    'no_proposal',
    `proposal ${id}: ${reason}; expected its number, or 0x and the first 4 or more of its hexadecimal digits`,
  );
}

/** Says when, before the chain refuses. */
async function requireState(rpc: Rpc, proposal: Proposal, allowed: readonly ProposalState[], what: string): Promise<void> {
  const { timestamp } = await rpc.call({ what: 'block' }, (c) => c.getBlock());
  const { state, voteStart, voteEnd, executableAt } = proposal;
  const time = (at: number): string => new Date(at * 1000).toISOString();
  const when =
    state === 'pending'
      ? `voting begins after ${time(voteStart)}`
      : state === 'active'
        ? `voting ends at ${time(voteEnd)}`
        : 'its state does not change any more';
  if (!allowed.includes(state))
    throw new ChainError(
      'proposal_state',
      `proposal ${hexOf(proposal.id)} is ${state}, expected ${allowed.join(' or ')} before ${what}: ${state === 'succeeded' ? 'queue it first' : state === 'queued' ? 'execute it' : when}`,
      { details: { state, voteStart, voteEnd } },
    );
  if (state === 'queued' && executableAt !== undefined && timestamp < executableAt)
    throw new ChainError('proposal_state', `proposal ${hexOf(proposal.id)} waits in the timelock until ${time(executableAt)}`, {
      details: { state, executableAt },
    });
}
