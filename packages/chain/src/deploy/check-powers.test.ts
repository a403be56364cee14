import { type Hex32, addressOfKey, toHex } from '@commonweight/protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { accessManagerAbi, parametersAbi, timelockControllerAbi } from '../abis.gen.ts';
import { contractNames } from '../deployments.ts';
import { jsonRpc } from '../platform/json-rpc.ts';
import { type Rpc, connectRpc } from '../rpc.ts';
import { type TestNetwork, startTestNetwork } from '../testing/network.ts';
import { encodeFunctionData, keccak256, stringToHex } from '../viem.ts';
import { checkPowers, listPowers } from './check-powers.ts';

let network: TestNetwork;
let rpc: Rpc;
beforeAll(async () => {
  network = await startTestNetwork();
  rpc = connectRpc(network.dev.rpcUrl, network.dev.chainId);
});
afterAll(() => network.close());

/** Sends a call as a contract, which no network but a development chain allows. */
async function sendAs(from: string, to: string, data: string): Promise<void> {
  const { rpcUrl } = network.dev;
  await jsonRpc(rpcUrl, 'anvil_impersonateAccount', [from]);
  await jsonRpc(rpcUrl, 'anvil_setBalance', [from, '0xde0b6b3a7640000']);
  const hash = (await jsonRpc(rpcUrl, 'eth_sendTransaction', [{ from, to, data }])) as `0x${string}`;
  const receipt = await rpc.client.waitForTransactionReceipt({ hash, pollingInterval: 10 });
  expect(receipt.status).toBe('success');
}

describe('after a deployment', () => {
  test('only the timelock, the governor and contracts of the deployment hold powers', async () => {
    const powers = await checkPowers(rpc, network.deployments);
    const { timelock, governor } = network.deployments;
    const nobody = `0x${'00'.repeat(20)}`;
    const roles = powers.filter(({ contract }) => contract === 'timelock' || contract === 'accessManager');
    expect(roles).toEqual(
      expect.arrayContaining([
        { contract: 'timelock', power: 'admin', holder: timelock, who: 'timelock' },
        { contract: 'timelock', power: 'proposer', holder: governor, who: 'governor' },
        { contract: 'timelock', power: 'canceller', holder: governor, who: 'governor' },
        { contract: 'timelock', power: 'executor', holder: nobody, who: 'anybody' },
        { contract: 'accessManager', power: 'admin', holder: timelock, who: 'timelock' },
      ]),
    );
    expect(roles).toHaveLength(5);
    for (const contract of ['parameters', 'specVerifiers', 'auditors'] as const)
      expect(powers).toContainEqual({ contract, power: 'authority', holder: network.deployments.accessManager, who: 'accessManager' });
    const deployer = network.dev.devAccount.address;
    expect(powers.some(({ holder }) => holder === deployer)).toBe(false);
    expect(contractNames.some((name) => network.deployments[name] === deployer)).toBe(false);
  });

  const stranger = addressOfKey(toHex(new Uint8Array(32).fill(1)) as Hex32);

  test.each([
    [
      'a second proposer',
      'proposer of timelock',
      () => [
        network.deployments.timelock,
        encodeFunctionData({
          abi: timelockControllerAbi,
          functionName: 'grantRole',
          args: [keccak256(stringToHex('PROPOSER_ROLE')), stranger],
        }),
      ],
    ],
    [
      'an administrator of the access manager',
      'admin of accessManager',
      () => [
        network.deployments.accessManager,
        encodeFunctionData({ abi: accessManagerAbi, functionName: 'grantRole', args: [0n, stranger, 0] }),
      ],
    ],
  ] as const)('%s is found, and forgotten once it is revoked', async (_, sentence, call) => {
    const [to, data] = call();
    await sendAs(network.deployments.timelock, to!, data!);
    await expect(checkPowers(rpc, network.deployments)).rejects.toMatchObject({
      code: 'special_power',
      details: { powers: [`${stranger} is ${sentence}`] },
    });
    const revoke =
      to === network.deployments.timelock
        ? encodeFunctionData({
            abi: timelockControllerAbi,
            functionName: 'revokeRole',
            args: [keccak256(stringToHex('PROPOSER_ROLE')), stranger],
          })
        : encodeFunctionData({ abi: accessManagerAbi, functionName: 'revokeRole', args: [0n, stranger] });
    await sendAs(network.deployments.timelock, to!, revoke);
    await checkPowers(rpc, network.deployments);
  });

  test('another authority over the parameters is found', async () => {
    const { parameters, accessManager } = network.deployments;
    // an authority must be a contract
    await jsonRpc(network.dev.rpcUrl, 'anvil_setCode', [stranger, '0x00']);
    await sendAs(accessManager, parameters, encodeFunctionData({ abi: parametersAbi, functionName: 'setAuthority', args: [stranger] }));
    await expect(checkPowers(rpc, network.deployments)).rejects.toMatchObject({
      details: { powers: [`${stranger} is authority of parameters`] },
    });
    expect((await listPowers(rpc, network.deployments)).filter(({ who }) => who === 'outside')).toHaveLength(1);
  });
});
