import { type Address, ZERO_ADDRESS } from '@commonweight/protocol';
import { accessManagerAbi, timelockControllerAbi } from '../abis.gen.ts';
import { type ContractName, type Deployments, contractNames } from '../deployments.ts';
import { ChainError } from '../errors.ts';
import { readEvents } from '../logs.ts';
import { lower } from '../lower.ts';
import { type Rpc } from '../rpc.ts';
import { type AbiFunction, keccak256, stringToHex } from '../viem.ts';
import { contractAbis } from './contract-abis.ts';

/** An address that a contract trusts or serves: the holder of a role, an authority, another contract that it names. */
export interface Power {
  readonly contract: ContractName;
  readonly power: string;
  readonly holder: Address;
  /** Which of our contracts that is, `anybody`, `nobody`, or `outside`. */
  readonly who: ContractName | 'anybody' | 'nobody' | 'outside';
}

/** Where burned stake goes: an address, and nobody's. */
const BURNED: Address = '0x000000000000000000000000000000000000dead';
const ANYBODY = 'anybody';

/**
 * Lists every power over our contracts, and throws `special_power` when an address other than our contracts, as fixed at the deployment, holds one. Roles are read from
 * the logs, so that nobody has to be asked about by name; all else from every getter of every contract that answers with addresses.
 */
export async function checkPowers(rpc: Rpc, deployments: Deployments): Promise<Power[]> {
  const powers = await listPowers(rpc, deployments);
  const wrong = powers.filter(({ who }) => who === 'outside');
  if (wrong.length === 0) return powers;
  const list = wrong.map(({ contract, power, holder }) => `${holder} is ${power} of ${contract}`);
  throw new ChainError(
    'special_power',
    `expected that only the timelock, the governor and contracts of the deployment hold powers, but ${list.join('; ')}; do not use this network`,
    { details: { powers: list } },
  );
}

export async function listPowers(rpc: Rpc, deployments: Deployments): Promise<Power[]> {
  const names = new Map<Address, ContractName>(contractNames.map((name) => [deployments[name], name]));
  const whoIs = (holder: Address): Power['who'] => {
    if (holder === ZERO_ADDRESS || holder === BURNED) return 'nobody';
    return names.get(holder) ?? 'outside';
  };
  const found = await Promise.all([timelockRoles(rpc, deployments), managerRoles(rpc, deployments), getters(rpc, deployments)]);
  return found.flat().map((power) => ({ ...power, who: power.who ?? whoIs(power.holder) }));
}

type Found = Omit<Power, 'who'> & { readonly who?: Power['who'] };

const role = (name: string): string => keccak256(stringToHex(name));
const timelockRoleNames: Readonly<Record<string, string>> = {
  [`0x${'00'.repeat(32)}`]: 'admin',
  [role('PROPOSER_ROLE')]: 'proposer',
  [role('EXECUTOR_ROLE')]: 'executor',
  [role('CANCELLER_ROLE')]: 'canceller',
};

/** The timelock's roles: the governor alone may propose and cancel, the timelock administers itself, and anybody may execute what is due. */
async function timelockRoles(rpc: Rpc, { timelock, governor, startBlock }: Deployments): Promise<Found[]> {
  const from = { address: timelock, abi: timelockControllerAbi, fromBlock: startBlock };
  const [granted, revoked] = await Promise.all([
    readEvents(rpc, { ...from, eventName: 'RoleGranted' }),
    readEvents(rpc, { ...from, eventName: 'RoleRevoked' }),
  ]);
  const held = stillHeld(
    granted.map(({ args, ...place }) => ({ ...place, key: `${args.role} ${lower(args.account)}` })),
    revoked.map(({ args, ...place }) => ({ ...place, key: `${args.role} ${lower(args.account)}` })),
  );
  return held.map((key) => {
    const [id, holder] = key.split(' ') as [string, Address];
    const power = timelockRoleNames[id] ?? `role ${id}`;
    const rightful = power === 'admin' ? holder === timelock : holder === governor;
    if (power === 'executor' && holder === ZERO_ADDRESS) return { contract: 'timelock', power, holder, who: ANYBODY };
    return { contract: 'timelock', power, holder, ...(!rightful && { who: 'outside' }) };
  });
}

/** Roles of the access manager. Role 0 administers all others. */
async function managerRoles(rpc: Rpc, { accessManager, startBlock }: Deployments): Promise<Found[]> {
  const from = { address: accessManager, abi: accessManagerAbi, fromBlock: startBlock };
  const [granted, revoked] = await Promise.all([
    readEvents(rpc, { ...from, eventName: 'RoleGranted' }),
    readEvents(rpc, { ...from, eventName: 'RoleRevoked' }),
  ]);
  const held = stillHeld(
    granted.map(({ args, ...place }) => ({ ...place, key: `${args.roleId} ${lower(args.account)}` })),
    revoked.map(({ args, ...place }) => ({ ...place, key: `${args.roleId} ${lower(args.account)}` })),
  );
  return held.map((key) => {
    const [id, holder] = key.split(' ') as [string, Address];
    return { contract: 'accessManager', power: id === '0' ? 'admin' : `role ${id}`, holder };
  });
}

interface RoleEvent {
  readonly key: string;
  readonly blockNumber: bigint;
  readonly logIndex: number;
}

/** Keys whose last event is a grant. */
function stillHeld(granted: readonly RoleEvent[], revoked: readonly RoleEvent[]): string[] {
  const all = [...granted.map((event) => ({ ...event, held: true })), ...revoked.map((event) => ({ ...event, held: false }))];
  all.sort((a, b) => (a.blockNumber === b.blockNumber ? a.logIndex - b.logIndex : a.blockNumber < b.blockNumber ? -1 : 1));
  const state = new Map(all.map(({ key, held }) => [key, held]));
  return [...state].filter(([, held]) => held).map(([key]) => key);
}

const asksNothing = (item: { readonly type: string }): item is AbiFunction => {
  if (item.type !== 'function') return false;
  const { inputs, outputs, stateMutability } = item as AbiFunction;
  return (
    inputs.length === 0 && outputs.length === 1 && outputs[0]!.type.startsWith('address') && ['view', 'pure'].includes(stateMutability)
  );
};

/** Every getter without arguments that answers with addresses: owners, authorities, and contracts named at the deployment. */
async function getters(rpc: Rpc, deployments: Deployments): Promise<Found[]> {
  const questions = contractNames.flatMap((contract) => contractAbis[contract].filter(asksNothing).map((getter) => ({ contract, getter })));
  const answers = await Promise.all(
    questions.map(async ({ contract, getter }) => {
      const answer = await rpc.call({ what: `${contract}.${getter.name}` }, (c) =>
        c.readContract({ address: deployments[contract], abi: [getter], functionName: getter.name }),
      );
      const holders = (Array.isArray(answer) ? answer : [answer]) as string[];
      return holders.map((holder) => ({ contract, power: getter.name, holder: lower(holder) }));
    }),
  );
  return answers.flat();
}
