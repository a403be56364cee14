import { afterAll, beforeAll, expect, test } from 'vitest';
import { type DevData, run, startDevData } from '../testing/dev-data.ts';

let network: DevData;
beforeAll(async () => {
  network = await startDevData();
});
afterAll(() => network[Symbol.asyncDispose]());

async function pass(seconds: number): Promise<void> {
  for (const [method, params] of [
    ['evm_increaseTime', [seconds]],
    ['evm_mine', []],
  ] as const) {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });
    const answer = await fetch(network.chain.rpcUrl, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
    expect(answer.status).toBe(200);
  }
}

test('a holder changes the audit rate with commands alone', async () => {
  const before = (await network.run('gov', 'show')).events.find(({ name }) => name === 'auditRate');
  expect(before).toMatchObject({ value: '100', unit: 'basis points', minimum: '1', maximum: '10000' });
  expect((await network.run('gov', 'delegate', '--dev')).code).toBe(0);
  await pass(1);
  const proposed = await network.run('gov', 'propose', '--set', 'auditRate=200', '--title', 'More audits', '--dev');
  expect(proposed).toMatchObject({ code: 0 });
  const [{ id }] = proposed.events as [{ id: string }];
  expect(proposed.events).toEqual([
    expect.objectContaining({
      event: 'proposal',
      state: 'pending',
      description: 'More audits',
      changes: ['auditRate: 100 -> 200 basis points'],
    }),
  ]);
  const short = id.slice(0, 10);
  expect(await network.run('gov', 'vote', short, 'for', '--dev')).toMatchObject({
    code: 2,
    events: [{ event: 'error', code: 'proposal_state' }],
  });
  await pass(2);
  expect(await network.run('gov', 'vote', short, 'for', '--reason', 'cheap', '--dev')).toMatchObject({
    code: 0,
    events: [{ event: 'vote' }],
  });
  await pass(61);
  expect(await network.run('gov', 'queue', short, '--dev')).toMatchObject({ code: 0, events: [{ event: 'queue' }, { state: 'queued' }] });
  expect((await network.run('gov', 'execute', short, '--dev')).err).toMatch(/waits in the timelock until 2\d{3}-/u);
  await pass(11);
  expect(await network.run('gov', 'execute', short, '--dev')).toMatchObject({
    code: 0,
    events: [{ event: 'execute' }, { state: 'executed' }],
  });
  expect((await network.run('gov', 'show')).events.find(({ name }) => name === 'auditRate')).toMatchObject({ value: '200' });
  const human = await run('gov', 'list', '--data', network.data);
  expect(human.out).toBe(
    `${id.slice(0, 12)}  executed  More audits\n              auditRate: 100 -> 200 basis points\n              for 1000000000, against 0, abstain 0\n`,
  );
});

test.each([
  [['propose', '--set', 'auditRate', '--title', 'x', '--dev'], /name=value/u],
  [['propose', '--set', 'auditRate=0', '--title', 'x', '--dev'], /1 to 10000 basis points/u],
  [['propose', '--split', '1,2', '--title', 'x', '--dev'], /five numbers/u],
  [['propose', '--title', 'x', '--dev'], /at least one change/u],
  [['propose', '--set', 'auditRate=3', '--title', 'x'], /wallet\.key is not there: make a wallet/u],
  [['vote', '0xffff', 'for', '--dev'], /there is none/u],
  [['vote', '0xffff', 'maybe', '--dev'], /for, against or abstain/u],
  [['delegate', '0x12', '--dev'], /expected an address/u],
  [['list', '--rpc-url', 'http://127.0.0.1:1'], /no answer from the chain/u],
])('gov %j says what is wrong', async (argv, message) => {
  const { code, err } = await network.run('gov', ...argv);
  expect({ code, err }).toEqual({ code: 2, err: expect.stringMatching(message) });
});
