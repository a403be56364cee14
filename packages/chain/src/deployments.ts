import { type Address, CommonweightError, Fields, type Hex32 } from '@commonweight/protocol';
import { readFile } from 'node:fs/promises';
import { writeFileAtomic } from './atomic-file.ts';
import { ChainError } from './errors.ts';

/** Every contract of a network, in the order in which they come to be. */
export const contractNames = [
  /** Votes. */
  'token',
  /** Made the next three; does nothing else. */
  'genesis',
  'timelock',
  'governor',
  'accessManager',
  'parameters',
  'specVerifiers',
  'payouts',
  /** The fund that auditors are paid from. */
  'auditors',
  'modelRegistry',
  'modelShares',
  'modelLines',
  'nodeRegistry',
  'receiptLog',
  /** Randomness of audits. */
  'auditSeed',
  /** Made the next three; does nothing else. */
  'economy',
  'staking',
  'settlement',
  'receiptFaults',
  /** What every splitter is a clone of; made by settlement. */
  'splitter',
] as const;

export type ContractName = (typeof contractNames)[number];
export type ContractAddresses = Readonly<Record<ContractName, Address>>;

/** Where our contracts are on one chain. */
export interface Deployments extends ContractAddresses {
  readonly chainId: number;
  /** No log of these contracts is in an earlier block. */
  readonly startBlock: number;
  /** {@link deploymentDigest} of the code and terms that were deployed. */
  readonly digest: Hex32;
  /** Money of a development chain. */
  readonly testDollar?: Address;
}

export function parseDeployments(value: unknown, path = 'deployments'): Deployments {
  const f = new Fields(value, path, ['chainId', 'startBlock', 'digest', 'testDollar?', ...contractNames]);
  return {
    chainId: f.integer('chainId', 1, Number.MAX_SAFE_INTEGER),
    startBlock: f.integer('startBlock', 0, Number.MAX_SAFE_INTEGER),
    digest: f.hex32('digest'),
    ...(f.has('testDollar') && { testDollar: f.address('testDollar') }),
    ...(Object.fromEntries(contractNames.map((name) => [name, f.address(name)])) as ContractAddresses),
  };
}

/** Reads deployments.json; undefined when there is none. */
export async function readDeployments(path: string): Promise<Deployments | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    return parseDeployments(JSON.parse(text), path);
  } catch (cause) {
    if (!(cause instanceof SyntaxError || cause instanceof CommonweightError)) throw cause;
    throw new ChainError(
      'dev_chain_file',
      `${path}: expected the addresses of our contracts (${cause.message}); remove it and deploy again`,
      { cause },
    );
  }
}

export const writeDeployments = (path: string, deployments: Deployments): Promise<void> =>
  writeFileAtomic(path, `${JSON.stringify(deployments, undefined, 2)}\n`, 0o644);
