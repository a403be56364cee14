import {
  type Action,
  ETHER,
  type GovernanceClient,
  type NamedParameter,
  type Proposal,
  type Vote,
  connectGovernance,
  formatAmount,
  formatParameter,
  parameterUnits,
  proposalHex,
  setParameter,
  setSplit,
} from '@commonweight/chain';
import { type Hex, isAddress } from '@commonweight/protocol';
import { UsageError } from '../fault.ts';
import type { Output } from '../output.ts';
import { parseAddress } from './parse-address.ts';
import { type SignerOptions, readSigner } from './signer.ts';
import { findTarget } from './target.ts';

export interface ProposeOptions extends SignerOptions {
  readonly set: readonly string[];
  readonly split?: string;
  readonly call: readonly string[];
  readonly title: string;
}

/** What the sub-commands of `gov` do. */
export interface GovCommands {
  readonly list: () => Promise<void>;
  readonly show: (id: string | undefined) => Promise<void>;
  readonly propose: (options: ProposeOptions) => Promise<void>;
  readonly vote: (id: string, vote: string, reason: string) => Promise<void>;
  readonly delegate: (to: string | undefined) => Promise<void>;
  readonly queue: (id: string) => Promise<void>;
  readonly execute: (id: string) => Promise<void>;
}

export async function govCommands(options: SignerOptions, output: Output): Promise<GovCommands> {
  const target = await findTarget(options);
  const reader = (): Promise<GovernanceClient> => connectGovernance(target);
  const signer = async (): Promise<GovernanceClient> => connectGovernance({ ...target, privateKey: await readSigner(options) });
  const sent = (event: string, transaction: string, sentence: string): void => {
    output.event(event, { transaction });
    output.print(`${sentence} (transaction ${transaction})`);
  };
  const step = async (id: string, name: 'queue' | 'execute', sentence: string): Promise<void> => {
    const client = await signer();
    sent(name, await client[name](await client.proposal(id)), sentence);
    print(await client.proposal(id), output);
  };
  return {
    list: async () => {
      const proposals = await (await reader()).proposals();
      for (const proposal of proposals) print(proposal, output);
      if (proposals.length === 0) output.print('no proposals yet');
    },
    show: async (id) => {
      const client = await reader();
      if (id !== undefined) return print(await client.proposal(id), output);
      for (const parameter of await client.parameters()) printParameter(parameter, output);
    },
    propose: async (wanted) => {
      const client = await signer();
      const id = await client.propose(await actionsOf(client, wanted), wanted.title);
      print(await client.proposal(String(id)), output);
    },
    vote: async (id, vote, reason) => {
      if (!isVote(vote)) throw new UsageError(`expected for, against or abstain, got ${vote}.`);
      const client = await signer();
      const proposal = await client.proposal(id);
      sent('vote', await client.vote(proposal, vote, reason), `voted ${vote} ${proposal.description}`);
    },
    delegate: async (to) => {
      const client = await signer();
      const delegate = to === undefined ? client.account! : parseAddress(to);
      sent('delegate', await client.delegate(delegate), `${delegate} votes with the tokens of ${client.account} from the next second on`);
    },
    queue: (id) => step(id, 'queue', 'queued'),
    execute: (id) => step(id, 'execute', 'executed'),
  };
}

const isVote = (text: string): text is Vote => ['for', 'against', 'abstain'].includes(text);

async function actionsOf(client: GovernanceClient, { set, split, call }: ProposeOptions): Promise<Action[]> {
  const known = set.length === 0 ? [] : await client.parameters();
  const parameters = set.map((text) => {
    const [name, value, ...rest] = text.split('=');
    if (name === undefined || value === undefined || rest.length > 0) throw new UsageError(`--set: expected name=value, got ${text}.`);
    return setParameter(client.deployments, name, value, known);
  });
  const splits = split === undefined ? [] : [setSplit(client.deployments, parseSplit(split))];
  return [...parameters, ...splits, ...call.map(parseCall)];
}

function parseSplit(text: string) {
  const parts = text.split(',').map((part) => (/^\d{1,5}$/u.test(part) ? Number(part) : NaN));
  if (parts.length !== 5 || parts.some(Number.isNaN))
    throw new UsageError(`--split: expected five numbers such as 7000,1500,500,700,300, got ${text}.`);
  const [node, model, parents, auditors, treasury] = parts as [number, number, number, number, number];
  return { node, model, parents, auditors, treasury };
}

function parseCall(text: string): Action {
  const [target, data] = text.toLowerCase().split(':');
  if (!isAddress(target) || data === undefined || !/^0x(?:[0-9a-f]{2})*$/u.test(data))
    throw new UsageError(`--call: expected an address, a colon and hexadecimal calldata, got ${text}.`);
  return { target, value: 0n, data: data as Hex };
}

const timeOf = (seconds: number): string => new Date(seconds * 1000).toISOString();

function print(proposal: Proposal, output: Output): void {
  const { id, proposer, description, changes, state, voteStart, voteEnd, executableAt, votes } = proposal;
  const number = proposalHex(id);
  const tokens = {
    for: formatAmount(votes.for, ETHER),
    against: formatAmount(votes.against, ETHER),
    abstain: formatAmount(votes.abstain, ETHER),
  };
  const times = {
    voteStart: timeOf(voteStart),
    voteEnd: timeOf(voteEnd),
    ...(executableAt !== undefined && { executableAt: timeOf(executableAt) }),
  };
  output.event('proposal', { id: number, state, description, changes, proposer, votes: tokens, ...times });
  output.print(`${number.slice(0, 12)}  ${state}  ${description}`);
  for (const change of changes) output.print(`              ${change}`);
  const when = {
    pending: `voting begins after ${times.voteStart}`,
    active: `voting ends at ${times.voteEnd}`,
    queued: `executable from ${times.executableAt}`,
  };
  output.print(
    `              for ${tokens.for}, against ${tokens.against}, abstain ${tokens.abstain}${state in when ? `; ${when[state as keyof typeof when]}` : ''}`,
  );
}

function printParameter({ name, value, minimum, maximum }: NamedParameter, output: Output): void {
  const unit = parameterUnits[name as keyof typeof parameterUnits] ?? '';
  const [now, least, most] = [value, minimum, maximum].map((number) => formatParameter(name, number)) as [string, string, string];
  output.event('parameter', { name, value: now, minimum: least, maximum: most, unit });
  output.print(`${name.padEnd(16)}  ${now} ${unit}  (${least} to ${most})`);
}
