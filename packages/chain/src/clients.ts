import { type Address, type Domain, type Hex32 } from '@commonweight/protocol';
import { modelLinesAbi, modelRegistryAbi, modelSharesAbi, nodeRegistryAbi, parametersAbi, receiptLogAbi } from './abis.gen.ts';
import { checkChainId, checkDeployments } from './check-chain.ts';
import { contractCaller } from './contract-caller.ts';
import { type Deployments } from './deployments.ts';
import { type FaultsClient, faultsClient } from './faults-client.ts';
import { type ModelLinesClient, modelLinesClient } from './model-lines-client.ts';
import { type ModelSharesClient, modelSharesClient } from './model-shares-client.ts';
import { type ModelsClient, modelsClient } from './models-client.ts';
import { type NodesClient, nodesClient } from './nodes-client.ts';
import { type ReceiptsClient, receiptsClient } from './receipts-client.ts';
import { type Rpc, connectRpc } from './rpc.ts';
import { Submitter } from './submitter.ts';

export interface ConnectOptions {
  readonly rpcUrl: string;
  readonly chainId: number;
  readonly deployments: Deployments;
  /** Signs transactions; without it the client only reads. */
  readonly privateKey?: Hex32;
}

/** The contracts on one chain, typed. Holds no connection and no timer: there is nothing to close. */
export interface Chain extends ModelsClient, ModelLinesClient, ModelSharesClient, NodesClient, ReceiptsClient, FaultsClient {
  readonly chainId: number;
  readonly deployments: Deployments;
  /** EIP-712 domain of receipts and requests. */
  readonly domain: Domain;
  /** Address of the private key, when there is one. */
  readonly account: Address | undefined;
  readonly rpc: Rpc;
  /** Sends this key's transactions, one after the other: whoever sends with the same key in this process uses it as well. */
  readonly submitter: Submitter | undefined;
  blockNumber(): Promise<number>;
  /** Wei. */
  balance(address: Address): Promise<bigint>;
}

/** Connects, and checks that the endpoint serves this chain and that our contracts are there. */
export async function connectChain({ rpcUrl, chainId, deployments, privateKey }: ConnectOptions): Promise<Chain> {
  const rpc = connectRpc(rpcUrl, chainId);
  await checkChainId(rpc);
  await checkDeployments(rpc, deployments);
  const submitter = privateKey === undefined ? undefined : new Submitter({ rpc, privateKey });
  return {
    chainId,
    deployments,
    domain: { chainId, verifyingContract: deployments.receiptLog },
    account: submitter?.account.address,
    rpc,
    submitter,
    blockNumber: () => rpc.call({ what: 'block number' }, async (client) => Number(await client.getBlockNumber())),
    balance: rpc.balance,
    ...modelsClient(
      contractCaller(rpc, submitter, deployments.modelRegistry, modelRegistryAbi),
      contractCaller(rpc, submitter, deployments.parameters, parametersAbi),
      submitter,
    ),
    ...modelLinesClient(contractCaller(rpc, submitter, deployments.modelLines, modelLinesAbi), submitter),
    ...modelSharesClient(contractCaller(rpc, submitter, deployments.modelShares, modelSharesAbi), submitter),
    ...nodesClient(
      contractCaller(rpc, submitter, deployments.nodeRegistry, nodeRegistryAbi),
      { chainId, nodeRegistry: deployments.nodeRegistry },
      submitter,
    ),
    ...receiptsClient(contractCaller(rpc, submitter, deployments.receiptLog, receiptLogAbi)),
    ...faultsClient(rpc, submitter, deployments),
  };
}
