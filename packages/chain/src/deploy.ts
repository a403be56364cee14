import { type Address, type Hex32 } from '@commonweight/protocol';
import { type Hex, concatHex, encodeAbiParameters, getContractAddress, keccak256, stringToHex } from './viem.ts';
import { modelRegistryBytecode, nodeRegistryBytecode, receiptLogBytecode } from './artifacts.gen.ts';
import { type Deployments } from './deployments.ts';
import { ChainError } from './errors.ts';
import { checkChainId } from './check-chain.ts';
import { connectRpc } from './rpc.ts';
import { Submitter } from './submitter.ts';

/** Arachnid's deterministic deployment proxy: the same address on nearly every chain; anvil has it from genesis. */
export const CREATE2_FACTORY: Address = '0x4e59b44847b379578588920ca78fbf26c0b4956c';
const SALT = keccak256(stringToHex('commonweight/1'));

export interface DeploymentTerms {
  /** Wei that a node must bond; default 0.1 ether. */
  readonly minimumBond?: bigint;
  /** Seconds from a node's request to exit to its withdrawal; default one day. */
  readonly unbondingDelay?: number;
}

export interface DeployOptions extends DeploymentTerms {
  readonly rpcUrl: string;
  readonly chainId: number;
  /** Pays the gas and gets no rights: the contracts have no administrator. */
  readonly privateKey: Hex32;
}

interface Step {
  readonly address: Address;
  readonly initCode: Hex;
}

const step = (initCode: Hex): Step => {
  const address = getContractAddress({ opcode: 'CREATE2', from: CREATE2_FACTORY, salt: SALT, bytecode: initCode });
  return { initCode, address: address.toLowerCase() as Address };
};

type Plan = Record<Exclude<keyof Deployments, 'chainId'>, Step>;

function makePlan({ minimumBond = 10n ** 17n, unbondingDelay = 86_400 }: DeploymentTerms): Plan {
  const terms = encodeAbiParameters([{ type: 'uint256' }, { type: 'uint64' }], [minimumBond, BigInt(unbondingDelay)]);
  const nodeRegistry = step(concatHex([nodeRegistryBytecode, terms]));
  const receiptLog = step(concatHex([receiptLogBytecode, encodeAbiParameters([{ type: 'address' }], [nodeRegistry.address])]));
  return { modelRegistry: step(modelRegistryBytecode), nodeRegistry, receiptLog };
}

// hashing all creation code takes 20 ms of a start
let standardPlan: Plan | undefined;
const plan = (terms: DeploymentTerms): Plan => (Object.keys(terms).length > 0 ? makePlan(terms) : (standardPlan ??= makePlan(terms)));

/** Addresses of our contracts, on any chain: they follow from code and terms alone. */
export function deploymentAddresses(chainId: number, terms: DeploymentTerms = {}): Deployments {
  return addressesOf(chainId, plan(terms));
}

const addressesOf = (chainId: number, { modelRegistry, nodeRegistry, receiptLog }: ReturnType<typeof plan>): Deployments => ({
  chainId,
  modelRegistry: modelRegistry.address,
  nodeRegistry: nodeRegistry.address,
  receiptLog: receiptLog.address,
});

/**
 * Deploys what is missing, with CREATE2; no transaction for what is there. A CREATE2 address commits to the creation code and its arguments,
 * so whatever code stands at the address is ours. Can be called again after a failure in the middle.
 */
export async function deployContracts({ rpcUrl, chainId, privateKey, ...terms }: DeployOptions): Promise<Deployments> {
  const rpc = connectRpc(rpcUrl, chainId);
  await checkChainId(rpc);
  if (!(await rpc.hasCode(CREATE2_FACTORY))) {
    throw new ChainError(
      'wrong_chain',
      `chain ${chainId} has no CREATE2 factory at ${CREATE2_FACTORY}; deploy it first (github.com/Arachnid/deterministic-deployment-proxy)`,
    );
  }
  const submitter = new Submitter({ rpc, privateKey });
  const steps = plan(terms);
  for (const [name, { address, initCode }] of Object.entries(steps)) {
    if (await rpc.hasCode(address)) continue;
    await submitter.send({ to: CREATE2_FACTORY, data: concatHex([SALT, initCode]) });
    if (!(await rpc.hasCode(address))) throw new ChainError('chain_rpc', `${name} is not at ${address} although its deployment was mined`);
  }
  return addressesOf(chainId, steps);
}
