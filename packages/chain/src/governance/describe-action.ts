import { parameterUnits } from '../deploy/parameter-units.ts';
import { contractAbis } from '../deploy/contract-abis.ts';
import { type Deployments, contractNames } from '../deployments.ts';
import { ETHER, formatAmount } from '../units.ts';
import { BaseError, type Hex, decodeFunctionData, hexToString } from '../viem.ts';
import { type Action } from './proposals.ts';

/** Value of a parameter by its name as the contract has it; undefined when there is none. */
export type CurrentValues = (name: Hex) => bigint | undefined;

/** One sentence about a call: `auditRate: 100 -> 200 basis points`; for what we do not know, address and data. */
export function describeAction({ target, value, data }: Action, deployments: Deployments, current: CurrentValues): string {
  const money = value === 0n ? '' : ` with ${formatAmount(value, ETHER)} ether`;
  const name = contractNames.find((contract) => deployments[contract] === target);
  const call = name === undefined ? undefined : decode(name, data);
  if (name === undefined || call === undefined) return `${target} is called with ${data === '0x' ? 'no data' : data}${money}`;
  if (name === 'parameters' && call.functionName === 'set') return describeSet(call.args as [Hex, bigint], current) + money;
  return `${name}.${call.functionName}(${call.args.map(plain).join(', ')})${money}`;
}

function decode(name: (typeof contractNames)[number], data: Hex): { functionName: string; args: readonly unknown[] } | undefined {
  try {
    const { functionName, args } = decodeFunctionData({ abi: contractAbis[name], data });
    return { functionName, args: args ?? [] };
  } catch (error) {
    // not a function of that contract: it would revert, and the reader sees the data
    if (error instanceof BaseError) return undefined;
    throw error;
  }
}

function describeSet([key, value]: [Hex, bigint], current: CurrentValues): string {
  const name = hexToString(key, { size: 32 }).replaceAll('\0', '');
  const before = current(key);
  return `${name}: ${before === undefined ? 'unknown' : formatParameter(name, before)} -> ${formatParameter(name, value)} ${unitOf(name)}`.trim();
}

const unitOf = (name: string): string => parameterUnits[name as keyof typeof parameterUnits] ?? '';

/** A parameter's number in its unit; {@link parameterUnits} names that. */
export const formatParameter = (name: string, value: bigint): string =>
  unitOf(name) === 'tokens' ? formatAmount(value, ETHER) : String(value);

const plain = (value: unknown): string =>
  typeof value === 'object' && value !== null
    ? JSON.stringify(value, (_, field: unknown) => (typeof field === 'bigint' ? String(field) : field))
    : String(value);
