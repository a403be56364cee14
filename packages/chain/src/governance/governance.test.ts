import { type Hex32, addressOfKey } from '@commonweight/protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { devParameters } from '../deploy/dev-genesis.ts';
import { generateKey } from '../keys.ts';
import { jsonRpc } from '../platform/json-rpc.ts';
import { type TestNetwork, startTestNetwork } from '../testing/network.ts';
import { encodeFunctionData } from '../viem.ts';
import { specVerifiersAbi } from '../abis.gen.ts';
import { setParameter, setSplit } from './actions.ts';
import { type GovernanceClient, connectGovernance, hexOf } from './governance-client.ts';

let network: TestNetwork;
let holder: GovernanceClient;
const terms = devParameters.governor;
beforeAll(async () => {
  network = await startTestNetwork();
  holder = await connect(network.dev.devAccount.privateKey);
  await holder.delegate(holder.account!);
  // votes count from the second after
  await pass(1);
});
afterAll(() => network.close());

const connect = (privateKey?: Hex32) => connectGovernance({ rpcUrl: network.dev.rpcUrl, deployments: network.deployments, privateKey });

/** The chain's clock goes on by itself; this jumps. */
async function pass(seconds: number): Promise<void> {
  await jsonRpc(network.dev.rpcUrl, 'evm_increaseTime', [seconds]);
  await jsonRpc(network.dev.rpcUrl, 'evm_mine', []);
}

const valueOf = async (name: string): Promise<bigint> => (await holder.parameters()).find((one) => one.name === name)!.value;
const set = async (name: string, text: string) => setParameter(network.deployments, name, text, await holder.parameters());

async function carry(id: bigint): Promise<void> {
  await pass(terms.votingDelay + 1);
  await holder.vote(await holder.proposal(String(id)), 'for', 'because');
  await pass(terms.votingPeriod + 1);
  await holder.queue(await holder.proposal(String(id)));
  await pass(terms.timelockDelay + 1);
  await holder.execute(await holder.proposal(String(id)));
}

describe('a proposal', () => {
  test('changes the audit rate: propose, vote, queue, execute; each step too early is refused with the time', async () => {
    expect(await valueOf('auditRate')).toBe(100n);
    const id = await holder.propose([await set('auditRate', '200')], 'Audit twice as much');
    const find = () => holder.proposal(hexOf(id).slice(0, 12));
    const proposed = await find();
    expect(proposed).toMatchObject({
      id,
      proposer: holder.account,
      description: 'Audit twice as much',
      changes: ['auditRate: 100 -> 200 basis points'],
      state: 'pending',
      votes: { for: 0n, against: 0n, abstain: 0n },
    });
    await expect(holder.vote(proposed, 'for')).rejects.toMatchObject({
      code: 'proposal_state',
      message: expect.stringMatching(/is pending.*voting begins after 2\d{3}-/u),
    });

    await pass(terms.votingDelay + 1);
    await holder.vote(await find(), 'for', 'more audits');
    const voted = await find();
    expect(voted).toMatchObject({ state: 'active', votes: { for: 10n ** 27n, against: 0n, abstain: 0n } });
    await expect(holder.vote(voted, 'against')).rejects.toMatchObject({
      code: 'chain_reverted',
      details: { reason: 'GovernorAlreadyCastVote' },
    });
    await expect(holder.queue(voted)).rejects.toMatchObject({ code: 'proposal_state', message: expect.stringContaining('voting ends at') });

    await pass(terms.votingPeriod + 1);
    await expect(holder.execute(await find())).rejects.toMatchObject({
      code: 'proposal_state',
      message: expect.stringContaining('queue it first'),
    });
    // anybody who pays the gas may go on from here
    const somebody = await connect((await network.newClient()).privateKey);
    await somebody.queue(await find());
    const queued = await find();
    expect(queued.state).toBe('queued');
    await expect(somebody.execute(queued)).rejects.toMatchObject({
      code: 'proposal_state',
      message: expect.stringContaining('timelock until'),
    });
    expect(await valueOf('auditRate')).toBe(100n);

    await pass(terms.timelockDelay + 1);
    await somebody.execute(await find());
    expect(await valueOf('auditRate')).toBe(200n);
    // what it was before is remembered
    expect(await find()).toMatchObject({ state: 'executed', changes: ['auditRate: 100 -> 200 basis points'] });
  });

  test('of several changes is read in words, also one that we have no words for', async () => {
    const { deployments } = network;
    const split = { node: 6_000, model: 2_500, parents: 500, auditors: 700, treasury: 300 };
    const bind = encodeFunctionData({ abi: specVerifiersAbi, functionName: 'add', args: ['int-transformer/2', deployments.token] });
    const stranger = addressOfKey(generateKey());
    const id = await holder.propose(
      [
        await set('challengeBond', '2.5'),
        setSplit(deployments, split),
        { target: deployments.specVerifiers, value: 0n, data: bind },
        { target: deployments.token, value: 0n, data: '0xffffffff' },
        { target: stranger, value: 0n, data: '0x' },
      ],
      'Several',
    );
    expect((await holder.proposal(String(id))).changes).toEqual([
      'challengeBond: 10 -> 2.5 tokens',
      'parameters.setSplit({"node":6000,"model":2500,"parents":500,"auditors":700,"treasury":300})',
      expect.stringMatching(/^specVerifiers\.add\(int-transformer\/2, 0x[0-9a-fA-F]{40}\)$/u),
      `${deployments.token} is called with 0xffffffff`,
      `${stranger} is called with no data`,
    ]);
  });

  test('whose call is refused says why at its execution', async () => {
    const { deployments } = network;
    const call = encodeFunctionData({
      abi: specVerifiersAbi,
      functionName: 'add',
      args: ['int-transformer/9', addressOfKey(generateKey())],
    });
    const id = await holder.propose([{ target: deployments.specVerifiers, value: 0n, data: call }], 'To no contract');
    await expect(carry(id)).rejects.toMatchObject({ code: 'chain_reverted', details: { reason: 'NotAContract' } });
    expect((await holder.proposal(String(id))).state).toBe('queued');
  });

  test('that cannot be made is refused before it is sent', async () => {
    await expect(set('auditRate', '10001')).rejects.toMatchObject({
      code: 'bad_proposal',
      message: expect.stringContaining('1 to 10000 basis points'),
    });
    await expect(set('taxRate', '1')).rejects.toMatchObject({ code: 'bad_proposal', message: expect.stringContaining('auditRate') });
    await expect(holder.propose([], 'nothing')).rejects.toMatchObject({ code: 'bad_proposal' });
    await expect(holder.proposal('0xdeadbeef')).rejects.toMatchObject({ code: 'no_proposal' });
    const poor = await connect((await network.newClient()).privateKey);
    await expect(poor.propose([await set('auditRate', '7')], 'without votes')).rejects.toMatchObject({
      code: 'chain_reverted',
      details: { reason: 'GovernorInsufficientProposerVotes' },
    });
    await expect((await connect()).propose([await set('auditRate', '7')], 'without a key')).rejects.toMatchObject({
      code: 'chain_read_only',
    });
  });
});

test('tokens vote once they are delegated', async () => {
  const { chain, privateKey } = await network.newClient();
  const delegate = chain.account!;
  const voter = await connect(privateKey);
  expect(await voter.voter(delegate)).toEqual({ balance: 0n, votes: 0n, delegate: `0x${'00'.repeat(20)}` });
  await holder.delegate(delegate);
  expect(await voter.voter(delegate)).toMatchObject({ balance: 0n, votes: 10n ** 27n });
  await holder.delegate(holder.account!);
  expect((await voter.voter(delegate)).votes).toBe(0n);
});
