import { addressOfKey } from '@commonweight/protocol';
import { generateKey } from '@commonweight/chain';
import { existsSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type DevData, run, startDevData } from '../testing/dev-data.ts';

let network: DevData;
beforeAll(async () => {
  network = await startDevData();
});
afterAll(() => network[Symbol.asyncDispose]());

test('a wallet is made once, gets money, and pays', async () => {
  const file = join(network.data, 'wallet.key');
  expect((await network.run('wallet', 'show')).err).toContain('commonweight wallet create');
  const created = await network.run('wallet', 'create');
  const address = created.events[0]!['address'] as string;
  expect(created.events).toEqual([{ event: 'created', address, file }]);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(await network.run('wallet', 'create')).toMatchObject({ code: 2, err: expect.stringContaining('never overwritten') });
  expect((await network.run('wallet', 'show')).events).toEqual([{ event: 'wallet', address }]);

  for (const [amount, asset] of [
    ['1.5', 'ether'],
    ['1000', 'token'],
    ['12.5', 'dollar'],
  ] as const)
    expect(await network.run('wallet', 'send', address, amount, '--asset', asset, '--dev')).toMatchObject({
      code: 0,
      events: [{ event: 'sent', amount }],
    });
  expect((await network.run('wallet', 'balance')).events.map(({ amount }) => amount)).toEqual(['1.5', '1000', '12.5']);
  expect((await network.run('wallet', 'balance', address, '--asset', network.deployments.token)).events).toMatchObject([
    { symbol: 'CWT', amount: '1000' },
  ]);
  expect(await network.run('wallet', 'approve', '5', '--asset', 'dollar')).toMatchObject({
    code: 0,
    events: [{ event: 'approved', amount: '5' }],
  });
  expect(await network.run('wallet', 'approve', '5', '--asset', 'ether')).toMatchObject({
    code: 2,
    err: expect.stringContaining('not ether'),
  });
  expect((await network.run('wallet', 'send', address, '99', '--asset', 'dollar')).err).toContain('ERC20InsufficientBalance');
  expect((await network.run('wallet', 'send', address, '0.0000001', '--asset', 'dollar')).err).toContain('at most 6 places');
});

test('stake, delegate, thaw, withdraw, and what show says of it', async () => {
  const operator = addressOfKey(generateKey());
  const key = generateKey();
  const keyFile = join(network.data, 'operator.key');
  writeFileSync(keyFile, `${key}\n`, { mode: 0o600 });
  expect(existsSync(keyFile)).toBe(true);
  const own = addressOfKey(key);
  for (const [amount, asset] of [
    ['1', 'ether'],
    ['500', 'token'],
  ] as const)
    expect((await network.run('wallet', 'send', own, amount, '--asset', asset, '--dev')).code).toBe(0);
  expect(await network.run('stake', 'add', '400', '--key-file', keyFile)).toMatchObject({ code: 0, events: [{ event: 'staked' }] });
  expect(await network.run('stake', 'delegate', '100.5', '--operator', own, '--dev')).toMatchObject({
    code: 0,
    events: [{ event: 'delegated' }],
  });
  expect((await network.run('stake', 'delegate', '1', '--operator', operator, '--dev')).err).toContain('NotStaked');
  expect((await network.run('stake', 'delegate', '1', '--dev')).err).toContain('--operator');

  const thawed = await network.run('stake', 'thaw', '100', '--key-file', keyFile);
  expect(thawed.events).toMatchObject([{ event: 'thawing' }, { event: 'position', active: '300', thaws: [{ amount: '100', due: false }] }]);
  expect(await network.run('stake', 'withdraw', '--key-file', keyFile)).toMatchObject({
    code: 2,
    events: [{ event: 'error', code: 'nothing_due' }],
  });
  const shown = await network.run('stake', 'show', '--operator', own, '--dev');
  expect(shown.events).toMatchObject([
    {
      event: 'operator',
      own: { active: '300', thawing: '100' },
      delegated: { active: '100.5', thawing: '0' },
      reserved: '0',
      free: '400.5',
      disputes: 0,
    },
    { event: 'position', active: '100.5', thaws: [] },
  ]);
  // no key is needed to look
  const looked = await run('stake', 'show', '--operator', own, '--data', network.data);
  expect(looked.out).toBe(`operator   ${own}\nown        300, thawing 100\ndelegated  100.5, thawing 0\nreserved   0\nfree       400.5\n`);
  expect(await network.run('stake', 'thaw', 'all', '--operator', own, '--dev')).toMatchObject({ code: 0 });
});
