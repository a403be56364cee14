import { DecodeError, Fields, isAddress, ZERO_ADDRESS } from '@commonweight/protocol';
import { limits } from '../limits.ts';
import { ETHER, parseAmount } from '../units.ts';
import {
  type AcceptedAsset,
  type AuditSeedTerms,
  type BoundedParameter,
  type GenesisAllocation,
  type GenesisParameters,
  type GovernorTerms,
  type Holding,
  type Split,
} from './genesis.ts';
import { type ParameterName, parameterUnits } from './parameter-units.ts';
import { requireSoundBounds } from './require-sound-bounds.ts';

const DAY = 86_400;
const YEAR = 366 * DAY;
/** What `Parameters.sol` holds too: said here before anything is sent. */
const WHOLE = 10_000;
const MINIMUM_NODE_SHARE = 2_500;
const MAXIMUM_STAKE_RATIO = 10n ** 36n;

const amount = (f: Fields, key: string, decimals = ETHER): bigint => parseAmount(f.string(key, 100), decimals, f.name(key));

/** Reads `genesis/allocation.json`. */
export function parseAllocation(value: unknown, path = 'allocation.json'): GenesisAllocation {
  const f = new Fields(value, path, ['token', 'supply', 'holders']);
  const token = new Fields(f.raw('token'), f.name('token'), ['name', 'symbol']);
  const holders = f.array('holders', limits.genesisHolders).map((entry, i): Holding => {
    const h = new Fields(entry, `${f.name('holders')}[${i}]`, ['name', 'holder', 'amount']);
    const holder = h.raw('holder');
    if (holder !== null && (!isAddress(holder) || holder === ZERO_ADDRESS))
      throw new DecodeError(h.name('holder'), 'an address in lower case, or null while nobody has been named', holder);
    const units = amount(h, 'amount');
    if (units === 0n) throw new DecodeError(h.name('amount'), 'more than zero', '0');
    return { name: h.string('name', 64), holder: holder ?? undefined, amount: units };
  });
  requireDistinct(
    holders.flatMap(({ holder }) => holder ?? []),
    f.name('holders'),
  );
  const sum = holders.reduce((total, holding) => total + holding.amount, 0n);
  if (sum !== amount(f, 'supply'))
    throw new DecodeError(f.name('supply'), `what the holders' amounts sum to (${sum} units)`, f.raw('supply'));
  return { token: { name: token.string('name', 32, /^[\x20-\x7e]+$/u), symbol: token.string('symbol', 11, /^[A-Z]+$/u) }, holders };
}

/** Reads `genesis/parameters.json`. */
export function parseParameters(value: unknown, path = 'parameters.json'): GenesisParameters {
  const f = new Fields(value, path, ['governor', 'parameters', 'split', 'assets', 'nodes', 'auditSeed']);
  const assets = f.array('assets', limits.genesisAssets).map((entry, i) => parseAsset(entry, `${f.name('assets')}[${i}]`));
  requireDistinct(
    assets.map(({ asset, chainId }) => `${asset} on ${chainId ?? 'every chain'}`),
    f.name('assets'),
  );
  const nodes = new Fields(f.raw('nodes'), f.name('nodes'), ['minimumBond', 'unbondingDelay']);
  return {
    governor: parseGovernor(f),
    parameters: parseNumbers(f),
    split: parseSplit(f),
    assets,
    nodes: { minimumBond: amount(nodes, 'minimumBond'), unbondingDelay: nodes.integer('unbondingDelay', 1, YEAR) },
    auditSeed: parseAuditSeed(f),
  };
}

function parseAuditSeed(f: Fields): AuditSeedTerms {
  const a = new Fields(f.raw('auditSeed'), f.name('auditSeed'), ['source', 'margin?']);
  if (a.literal('source', ['drand', 'blockhash']) === 'drand') return { source: 'drand', margin: a.integer('margin', 1, DAY) };
  if (a.has('margin')) throw new DecodeError(a.name('margin'), 'nothing: block hashes have none', a.raw('margin'));
  return { source: 'blockhash' };
}

function parseGovernor(f: Fields): GovernorTerms {
  const keys = ['votingDelay', 'votingPeriod', 'proposalThreshold', 'quorumPercent', 'timelockDelay'];
  const g = new Fields(f.raw('governor'), f.name('governor'), keys);
  return {
    votingDelay: g.integer('votingDelay', 0, YEAR),
    votingPeriod: g.integer('votingPeriod', 1, YEAR),
    proposalThreshold: amount(g, 'proposalThreshold'),
    quorumPercent: g.integer('quorumPercent', 1, 100),
    timelockDelay: g.integer('timelockDelay', 0, YEAR),
  };
}

/** All of them, and no others: a contract that asks for one that is missing would refuse for ever. */
function parseNumbers(f: Fields): BoundedParameter[] {
  const names = Object.keys(parameterUnits) as ParameterName[];
  const list = new Fields(f.raw('parameters'), f.name('parameters'), names);
  const parameters = names.map((name): BoundedParameter => {
    const p = new Fields(list.raw(name), list.name(name), ['value', 'minimum', 'maximum', 'unit']);
    p.literal('unit', [parameterUnits[name]]);
    const [number, minimum, maximum] = (['value', 'minimum', 'maximum'] as const).map((key) =>
      ['tokens', 'ether'].includes(parameterUnits[name]) ? amount(p, key) : BigInt(p.integer(key, 0, Number.MAX_SAFE_INTEGER)),
    ) as [bigint, bigint, bigint];
    if (number < minimum || number > maximum || maximum === 0n)
      throw new DecodeError(p.name('value'), `a number from ${minimum} to ${maximum}`, p.raw('value'));
    return { name, value: number, minimum, maximum };
  });
  requireSoundBounds(parameters, list.path);
  requireTimeToCover(parameters, list);
  return parameters;
}

/** A receipt that comes last before its posting is due, and then waits for stake until a dispute window closes, must still find its payment. */
function requireTimeToCover(numbers: readonly BoundedParameter[], list: Fields): void {
  const valueOf = (wanted: ParameterName): bigint => numbers.find(({ name }) => name === wanted)!.value;
  const least = valueOf('disputeWindow') + valueOf('postingWindow');
  if (valueOf('refundWindow') <= least)
    throw new DecodeError(
      list.name('refundWindow'),
      `more than disputeWindow and postingWindow together (${least} seconds)`,
      `${valueOf('refundWindow')} seconds`,
    );
}

function parseSplit(f: Fields): Split {
  const keys = ['node', 'model', 'parents', 'auditors', 'treasury'] as const;
  const s = new Fields(f.raw('split'), f.name('split'), keys);
  const [node, model, parents, auditors, treasury] = keys.map((key) => s.integer(key, 0, WHOLE)) as [
    number,
    number,
    number,
    number,
    number,
  ];
  const sum = node + model + parents + auditors + treasury;
  if (sum !== WHOLE) throw new DecodeError(s.path, `five parts that sum to ${WHOLE} basis points`, `a sum of ${sum}`);
  if (node < MINIMUM_NODE_SHARE) throw new DecodeError(s.name('node'), `at least ${MINIMUM_NODE_SHARE} basis points`, node);
  return { node, model, parents, auditors, treasury };
}

/** `stakePerUnit`: tokens that lock for one whole unit of the asset, such as a dollar. */
function parseAsset(value: unknown, path: string): AcceptedAsset {
  const a = new Fields(value, path, ['name', 'chainId?', 'asset', 'decimals', 'stakePerUnit']);
  const decimals = a.integer('decimals', 0, 36);
  const ratio = (amount(a, 'stakePerUnit') * 10n ** BigInt(ETHER)) / 10n ** BigInt(decimals);
  if (ratio === 0n || ratio > MAXIMUM_STAKE_RATIO)
    throw new DecodeError(a.name('stakePerUnit'), 'more than zero, and at most one token for the smallest unit', a.raw('stakePerUnit'));
  const chainId = a.has('chainId') ? a.integer('chainId', 1, Number.MAX_SAFE_INTEGER) : undefined;
  return { name: a.string('name', 32), chainId, asset: a.address('asset'), ratio };
}

function requireDistinct(list: readonly string[], path: string): void {
  const twice = list.find((entry, i) => list.indexOf(entry) !== i);
  if (twice !== undefined) throw new DecodeError(path, 'every entry once', `${twice} twice`);
}
