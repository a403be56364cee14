import { type Deployments } from './deployments.ts';
import { ChainError } from './errors.ts';
import { type Rpc } from './rpc.ts';

/** Throws `wrong_chain` unless the endpoint serves the chain that we were told. */
export async function checkChainId(rpc: Rpc): Promise<void> {
  const got = await rpc.call({ what: 'chain id' }, (c) => c.getChainId());
  if (got !== rpc.chain.id)
    throw new ChainError('wrong_chain', `${rpc.url} serves chain ${got}, expected ${rpc.chain.id}; check the RPC URL`, {
      details: { got, expected: rpc.chain.id },
    });
}

/**
 * What is looked for: a node answers with the whole code, and every process of a network asks. Where these stand, a deployment went through, and that one read
 * the code of all (`deploy/verify-code.ts`).
 */
const landmarks = ['modelRegistry', 'nodeRegistry', 'receiptLog', 'settlement', 'testDollar'] as const;

/** Throws `wrong_chain` unless our contracts are on this chain. */
export async function checkDeployments(rpc: Rpc, deployments: Deployments): Promise<void> {
  if (deployments.chainId !== rpc.chain.id) {
    throw new ChainError(
      'wrong_chain',
      `the deployments are for chain ${deployments.chainId}, expected ${rpc.chain.id}; deploy on this chain, or use its deployments.json`,
    );
  }
  await Promise.all(
    landmarks.map(async (name) => {
      const address = deployments[name];
      if (address !== undefined && !(await rpc.hasCode(address)))
        throw new ChainError('wrong_chain', `no ${name} at ${address} on chain ${rpc.chain.id}; deploy the contracts first`);
    }),
  );
}
