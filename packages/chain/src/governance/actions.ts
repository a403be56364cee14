import { parametersAbi } from '../abis.gen.ts';
import { type ParameterName, parameterUnits } from '../deploy/parameter-units.ts';
import { type Split } from '../deploy/genesis.ts';
import { type Deployments } from '../deployments.ts';
import { ChainError } from '../errors.ts';
import { type NamedParameter } from './governance-client.ts';
import { ETHER, formatAmount, parseAmount } from '../units.ts';
import { encodeFunctionData, stringToHex } from '../viem.ts';
import { type Action } from './proposals.ts';

/** Sets one parameter; `text` is a number in the parameter's unit. Refuses what the contract would refuse after days of voting. */
export function setParameter({ parameters }: Deployments, name: string, text: string, known: readonly NamedParameter[]): Action {
  const parameter = known.find((one) => one.name === name);
  if (parameter === undefined)
    throw new ChainError('bad_proposal', `there is no parameter ${name}; expected one of ${known.map((one) => one.name).join(', ')}`);
  const decimals = parameterUnits[name as ParameterName] === 'tokens' ? ETHER : 0;
  const value = parseAmount(text, decimals, name);
  const { minimum, maximum } = parameter;
  if (value < minimum || value > maximum)
    throw new ChainError(
      'bad_proposal',
      `${name}: expected ${formatAmount(minimum, decimals)} to ${formatAmount(maximum, decimals)} ${parameterUnits[name as ParameterName]}, got ${text}`,
    );
  const data = encodeFunctionData({ abi: parametersAbi, functionName: 'set', args: [stringToHex(name, { size: 32 }), value] });
  return { target: parameters, value: 0n, data };
}

/** Divides payments anew. */
export function setSplit({ parameters }: Deployments, split: Split): Action {
  const sum = Object.values(split).reduce((total: number, part: number) => total + part, 0);
  if (sum !== 10_000) throw new ChainError('bad_proposal', `the split: expected five parts that sum to 10000 basis points, got ${sum}`);
  return { target: parameters, value: 0n, data: encodeFunctionData({ abi: parametersAbi, functionName: 'setSplit', args: [split] }) };
}
