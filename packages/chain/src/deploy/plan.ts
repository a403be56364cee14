import { type Address } from '@commonweight/protocol';
import {
  blockhashSeedAbi,
  drandSeedAbi,
  economyGenesisAbi,
  fundAbi,
  genesisAbi,
  modelLinesAbi,
  modelRegistryAbi,
  modelSharesAbi,
  nodeRegistryAbi,
  parametersAbi,
  payoutsAbi,
  receiptLogAbi,
  specVerifiersAbi,
  tokenAbi,
} from '../abis.gen.ts';
import {
  accessManagerArtifact,
  blockhashSeedArtifact,
  commonweightGovernorArtifact,
  drandSeedArtifact,
  economyGenesisArtifact,
  fundArtifact,
  genesisArtifact,
  modelLinesArtifact,
  modelRegistryArtifact,
  modelSharesArtifact,
  nodeRegistryArtifact,
  parametersArtifact,
  payoutsArtifact,
  receiptFaultsArtifact,
  receiptLogArtifact,
  revenueSplitterArtifact,
  settlementArtifact,
  specVerifiersArtifact,
  stakingArtifact,
  timelockControllerArtifact,
  tokenArtifact,
} from '../artifacts.gen.ts';
import { type ContractAddresses, type ContractName } from '../deployments.ts';
import { type Hex, encodeDeployData, stringToHex } from '../viem.ts';
import { type Artifact, type Contract } from './artifact.ts';
import { childAddress, create2Address } from './create2.ts';
import { type AuditSeedTerms, type Genesis } from './genesis.ts';
import { requireHolders } from './require-holders.ts';

/** One transaction to the CREATE2 factory. */
export interface Step {
  readonly name: ContractName;
  readonly address: Address;
  /** Creation code and encoded arguments: the address commits to both. */
  readonly initCode: Hex;
  readonly runtime: Contract['runtime'];
}

/** What stands at an address in the end: of a step, or created by one. */
export interface Expected {
  readonly name: ContractName;
  readonly address: Address;
  readonly runtime: Contract['runtime'];
  /** The contract that made it, when that is one of ours. */
  readonly creator?: Address;
}

export interface Plan {
  /** In the order in which they are sent. */
  readonly steps: readonly Step[];
  readonly contracts: readonly Expected[];
  readonly addresses: ContractAddresses;
}

/**
 * Which contracts, in which order, with which arguments. Pure: needs no chain. Each step may use the addresses of those above it; where two contracts must know each
 * other, one contract creates both.
 */
export function planDeployment(genesis: Genesis, chainId: number): Plan {
  const steps: Step[] = [];
  const contracts: Expected[] = [];
  const create = (name: ContractName, { runtime }: Artifact, initCode: Hex): Address => {
    const step = { name, address: create2Address(initCode), initCode, runtime };
    steps.push(step);
    contracts.push(step);
    return step.address;
  };
  /** The contract that `creator` makes with its creation number `nonce`. */
  const child = (name: ContractName, { runtime }: Contract, creator: Address, nonce: bigint): Address => {
    const address = childAddress(creator, nonce);
    contracts.push({ name, address, runtime, creator });
    return address;
  };
  const { governor: terms, nodes, split } = genesis;

  // who votes
  const allocation = requireHolders(genesis);
  const token = create(
    'token',
    tokenArtifact,
    encodeDeployData({
      abi: tokenAbi,
      bytecode: tokenArtifact.bytecode,
      args: [genesis.token.name, genesis.token.symbol, allocation],
    }),
  );
  // who rules: three contracts that know each other
  const founding = create(
    'genesis',
    genesisArtifact,
    encodeDeployData({
      abi: genesisAbi,
      bytecode: genesisArtifact.bytecode,
      args: [
        token,
        BigInt(terms.timelockDelay),
        {
          votingDelay: terms.votingDelay,
          votingPeriod: terms.votingPeriod,
          proposalThreshold: terms.proposalThreshold,
          quorumPercent: BigInt(terms.quorumPercent),
        },
      ],
    }),
  );
  const timelock = child('timelock', timelockControllerArtifact, founding, 1n);
  const governor = child('governor', commonweightGovernorArtifact, founding, 2n);
  const accessManager = child('accessManager', accessManagerArtifact, founding, 3n);
  // what is ruled
  const parameters = create(
    'parameters',
    parametersArtifact,
    encodeDeployData({
      abi: parametersAbi,
      bytecode: parametersArtifact.bytecode,
      args: [
        accessManager,
        split,
        genesis.parameters.map(({ name, ...parameter }) => ({ name: stringToHex(name, { size: 32 }), parameter })),
        genesis.assets.filter((asset) => asset.chainId === undefined || asset.chainId === chainId),
      ],
    }),
  );
  const specVerifiers = create(
    'specVerifiers',
    specVerifiersArtifact,
    encodeDeployData({ abi: specVerifiersAbi, bytecode: specVerifiersArtifact.bytecode, args: [accessManager] }),
  );
  // who earns
  const payouts = create('payouts', payoutsArtifact, encodeDeployData({ abi: payoutsAbi, bytecode: payoutsArtifact.bytecode }));
  const auditors = create(
    'auditors',
    fundArtifact,
    encodeDeployData({ abi: fundAbi, bytecode: fundArtifact.bytecode, args: [accessManager, payouts] }),
  );
  // who serves what
  const modelRegistry = create(
    'modelRegistry',
    modelRegistryArtifact,
    encodeDeployData({ abi: modelRegistryAbi, bytecode: modelRegistryArtifact.bytecode, args: [parameters] }),
  );
  const modelShares = create(
    'modelShares',
    modelSharesArtifact,
    encodeDeployData({ abi: modelSharesAbi, bytecode: modelSharesArtifact.bytecode, args: [modelRegistry, parameters] }),
  );
  const modelLines = create(
    'modelLines',
    modelLinesArtifact,
    encodeDeployData({ abi: modelLinesAbi, bytecode: modelLinesArtifact.bytecode, args: [modelRegistry] }),
  );
  const nodeRegistry = create(
    'nodeRegistry',
    nodeRegistryArtifact,
    encodeDeployData({
      abi: nodeRegistryAbi,
      bytecode: nodeRegistryArtifact.bytecode,
      args: [nodes.minimumBond, BigInt(nodes.unbondingDelay)],
    }),
  );
  const receiptLog = create(
    'receiptLog',
    receiptLogArtifact,
    encodeDeployData({ abi: receiptLogAbi, bytecode: receiptLogArtifact.bytecode, args: [nodeRegistry] }),
  );
  const auditSeed = createAuditSeed(create, genesis.auditSeed, receiptLog);
  // who is liable: staking, settlement and slasher know each other
  const economy = create(
    'economy',
    economyGenesisArtifact,
    encodeDeployData({
      abi: economyGenesisAbi,
      bytecode: economyGenesisArtifact.bytecode,
      args: [token, receiptLog, { parameters, models: modelRegistry, shares: modelShares, payouts, auditors, treasury: timelock }],
    }),
  );
  const staking = child('staking', stakingArtifact, economy, 1n);
  const settlement = child('settlement', settlementArtifact, economy, 2n);
  const receiptFaults = child('receiptFaults', receiptFaultsArtifact, economy, 3n);
  const splitter = child('splitter', revenueSplitterArtifact, settlement, 1n);
  const addresses = {
    token,
    genesis: founding,
    timelock,
    governor,
    accessManager,
    parameters,
    specVerifiers,
    payouts,
    auditors,
    modelRegistry,
    modelShares,
    modelLines,
    nodeRegistry,
    receiptLog,
    auditSeed,
    economy,
    staking,
    settlement,
    receiptFaults,
    splitter,
  };
  return { steps, contracts, addresses };
}

type Create = (name: ContractName, artifact: Artifact, initCode: Hex) => Address;

function createAuditSeed(create: Create, terms: AuditSeedTerms, receiptLog: Address): Address {
  const initCode =
    terms.source === 'drand'
      ? encodeDeployData({ abi: drandSeedAbi, bytecode: drandSeedArtifact.bytecode, args: [receiptLog, BigInt(terms.margin)] })
      : encodeDeployData({ abi: blockhashSeedAbi, bytecode: blockhashSeedArtifact.bytecode, args: [receiptLog] });
  return create('auditSeed', terms.source === 'drand' ? drandSeedArtifact : blockhashSeedArtifact, initCode);
}
