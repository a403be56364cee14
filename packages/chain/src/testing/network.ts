import { type Hex32 } from '@commonweight/protocol';
import { privateKeyToAddress } from 'viem/accounts';
import { type Chain, connectChain } from '../clients.ts';
import { type DevContracts, installDevContracts } from '../dev-contracts.ts';
import { deployDevNetwork } from '../deploy/deploy-dev-network.ts';
import { type Deployments } from '../deployments.ts';
import { type DevChain, startDevChain } from '../dev-chain.ts';
import { generateKey } from '../keys.ts';
import { lower } from '../lower.ts';
import { temporaryFolder } from './folders.ts';

export interface TestNetwork {
  readonly dev: DevChain;
  readonly deployments: Deployments;
  /** Test dollars, and who hands them out. */
  readonly money: DevContracts;
  /** A client of a new key with 10 ether. */
  newClient(): Promise<{ readonly chain: Chain; readonly privateKey: Hex32 }>;
  close(): Promise<void>;
}

/** A development chain in a temporary folder, with our contracts and those of payments. */
export async function startTestNetwork(): Promise<TestNetwork> {
  const folder = await temporaryFolder();
  const dev = await startDevChain({ dataDir: folder.path });
  const { rpcUrl, chainId, devAccount } = dev;
  const money = await installDevContracts({ rpcUrl, chainId, privateKey: devAccount.privateKey });
  const deployments = await deployDevNetwork({ rpcUrl, chainId, privateKey: devAccount.privateKey });
  return {
    dev,
    deployments,
    money,
    newClient: async () => {
      const privateKey = generateKey();
      await dev.fund(lower(privateKeyToAddress(privateKey)), 10n ** 19n);
      return { privateKey, chain: await connectChain({ rpcUrl, chainId, deployments, privateKey }) };
    },
    close: async () => {
      await dev.stop();
      await folder[Symbol.asyncDispose]();
    },
  };
}
