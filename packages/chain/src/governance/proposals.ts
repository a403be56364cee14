import { type Address } from '@commonweight/protocol';
import { commonweightGovernorAbi, parametersAbi } from '../abis.gen.ts';
import { type Deployments } from '../deployments.ts';
import { readEvents } from '../logs.ts';
import { lower } from '../lower.ts';
import { type Rpc } from '../rpc.ts';
import { type Hex } from '../viem.ts';
import { type CurrentValues, describeAction } from './describe-action.ts';

/** In the order of the governor's numbers. */
const proposalStates = ['pending', 'active', 'canceled', 'defeated', 'succeeded', 'queued', 'expired', 'executed'] as const;
export type ProposalState = (typeof proposalStates)[number];

export interface Action {
  readonly target: Address;
  readonly value: bigint;
  readonly data: Hex;
}

export interface Proposal {
  readonly id: bigint;
  readonly proposer: Address;
  readonly description: string;
  readonly actions: readonly Action[];
  /** What each action does, for people. */
  readonly changes: readonly string[];
  readonly state: ProposalState;
  /** Unix seconds: votes are counted as of the first, given after it, and until the second. */
  readonly voteStart: number;
  readonly voteEnd: number;
  /** When it can be executed, once it is queued; else undefined. */
  readonly executableAt: number | undefined;
  /** In units of 1e-18 votes. */
  readonly votes: { readonly for: bigint; readonly against: bigint; readonly abstain: bigint };
}

/** Every proposal that was ever made, oldest first. */
export async function readProposals(rpc: Rpc, deployments: Deployments): Promise<Proposal[]> {
  const from = { abi: commonweightGovernorAbi, address: deployments.governor, fromBlock: deployments.startBlock };
  const [created, executed] = await Promise.all([
    readEvents(rpc, { ...from, eventName: 'ProposalCreated' }),
    readEvents(rpc, { ...from, eventName: 'ProposalExecuted' }),
  ]);
  const executions = new Map(executed.map(({ args, transactionHash }) => [args.proposalId, transactionHash]));
  const values = await valuesAt(rpc, deployments);
  return Promise.all(
    created.map(async ({ args }) => {
      const actions = args.targets.map((target, i) => ({ target: lower(target), value: args.values[i]!, data: args.calldatas[i]! }));
      const current = values(executions.get(args.proposalId));
      return {
        id: args.proposalId,
        proposer: lower(args.proposer),
        description: args.description,
        actions,
        changes: actions.map((action) => describeAction(action, deployments, current)),
        voteStart: Number(args.voteStart),
        voteEnd: Number(args.voteEnd),
        ...(await readState(rpc, deployments, args.proposalId)),
      };
    }),
  );
}

async function readState(rpc: Rpc, { governor }: Deployments, id: bigint): Promise<Pick<Proposal, 'state' | 'votes' | 'executableAt'>> {
  const at = { address: governor, abi: commonweightGovernorAbi, args: [id] } as const;
  const [state, [against, inFavour, abstain], eta] = await Promise.all([
    rpc.call({ what: 'state' }, (c) => c.readContract({ ...at, functionName: 'state' })),
    rpc.call({ what: 'proposalVotes' }, (c) => c.readContract({ ...at, functionName: 'proposalVotes' })),
    rpc.call({ what: 'proposalEta' }, (c) => c.readContract({ ...at, functionName: 'proposalEta' })),
  ]);
  return {
    state: proposalStates[state]!,
    votes: { for: inFavour, against, abstain },
    executableAt: eta === 0n ? undefined : Number(eta),
  };
}

/** What the parameters are now; for a proposal that was executed, what they were before that transaction. */
async function valuesAt(rpc: Rpc, { parameters, startBlock }: Deployments): Promise<(execution: Hex | undefined) => CurrentValues> {
  const [list, changes] = await Promise.all([
    rpc.call({ what: 'all' }, (c) => c.readContract({ address: parameters, abi: parametersAbi, functionName: 'all' })),
    readEvents(rpc, { address: parameters, abi: parametersAbi, eventName: 'ParameterSet', fromBlock: startBlock }),
  ]);
  const now = new Map(list.map(({ name, parameter }) => [name, parameter.value]));
  return (execution) => (name) => {
    const change = changes.find(({ args, transactionHash }) => transactionHash === execution && args.name === name);
    return change?.args.from ?? now.get(name);
  };
}
