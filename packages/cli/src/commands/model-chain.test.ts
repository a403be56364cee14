import { connectChain, generateKey, lineId } from '@commonweight/chain';
import { tinyModel } from '@commonweight/models/testing';
import { type Address, type Hex32, addressOfKey } from '@commonweight/protocol';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type DevData, run, startDevData } from '../testing/dev-data.ts';

let network: DevData;
let id: Hex32;
let dir: string;
let otherKey: Hex32;
let other: Address;
let otherKeyFile: string;
beforeAll(async () => {
  network = await startDevData();
  const gguf = join(network.data, 'tiny.gguf');
  await writeFile(gguf, tinyModel({ layers: 2 }));
  const imported = await network.run('model', 'import', gguf);
  ({ id, dir } = imported.events.find(({ event }) => event === 'imported') as unknown as { id: Hex32; dir: string });
  otherKey = generateKey();
  other = addressOfKey(otherKey);
  otherKeyFile = join(network.data, 'other.key');
  await writeFile(otherKeyFile, otherKey, { mode: 0o600 });
  await network.chain.fund(other, 10n ** 18n);
}, 60_000);
afterAll(() => network[Symbol.asyncDispose]());

const model = (...argv: string[]) => network.run('model', ...argv);
const BOB = `0x${'b0'.repeat(20)}` as const;

test('from a stolen id to shares, with commands alone', async () => {
  // somebody was faster, with weights of his own
  const { rpcUrl, chainId } = network.chain;
  const thief = await connectChain({ rpcUrl, chainId, deployments: network.deployments, privateKey: otherKey });
  const stolen = { modelId: id, weightsRoot: `0x${'ee'.repeat(32)}` as const, manifestPointer: '', cardDigest: id, cardPointer: '' };
  await thief.publishModel(stolen);
  expect(await model('publish', id, '--dev')).toMatchObject({ code: 2, err: expect.stringContaining(other) as string });
  expect(await model('challenge', id, join(dir, 'manifest.json'), '--dev')).toMatchObject({
    code: 0,
    events: [{ event: 'challenged', id, credit: '0.005' }],
  });
  expect((await model('deposit', '--to', BOB, '--dev')).events).toEqual([{ event: 'withdrawn', amount: '0.005', to: BOB }]);

  // the rightful one
  const owner = network.chain.devAccount.address;
  expect((await model('publish', dir, '--dev', '--manifest-url', 'http://m')).events).toEqual([
    expect.objectContaining({ event: 'published', changed: true, id, owner }),
  ]);
  expect((await model('shares', 'found', id, '--dev')).err).toContain('NotProven');
  expect((await model('publish', id, '--prove', '--dev', '--manifest-url', 'http://m')).events).toMatchObject([
    { event: 'published', changed: false },
    { event: 'proven', changed: true, id },
  ]);
  expect((await model('prove', id, '--dev')).events).toMatchObject([{ event: 'proven', changed: false }]);
  expect((await model('challenge', id, join(dir, 'manifest.json'), '--key-file', otherKeyFile)).err).toContain('RecordIsTrue');
  expect((await model('deposit', id, '--dev')).err).toContain('NotYetReclaimable');

  // a line and its tags
  expect((await model('tag', 'tiny', 'latest', id, '--dev')).events).toMatchObject([
    { event: 'tagged', changed: true, tag: 'latest', model: id },
  ]);
  expect((await model('tag', 'tiny', 'stable', id, '--dev')).code).toBe(0);
  expect((await model('tag', 'tiny', 'stable', '--dev')).events).toMatchObject([{ event: 'tagged', changed: true, model: null }]);
  const line = lineId(owner, 'tiny');
  const versions = [
    expect.objectContaining({ event: 'line', line, name: 'tiny', owner, versions: 1, tags: { latest: id } }),
    { event: 'version', line, place: 0, model: id, tags: ['latest'] },
  ];
  expect((await model('versions', line)).events).toEqual(versions);
  expect((await model('versions', 'tiny', '--owner', owner)).events).toEqual(versions);
  expect((await model('versions')).events).toEqual(versions.slice(0, 1));
  expect((await run('model', 'versions', line, '--data', network.data)).out).toContain(`  0  ${id}  latest\n`);

  // shares
  const parents = [`0x${'11'.repeat(32)}:6000`, `0x${'22'.repeat(32)}:4000`].flatMap((parent) => ['--parent', parent]);
  expect((await model('shares', 'found', id, ...parents, '--royalty', '250', '--dev')).events).toMatchObject([
    { event: 'founded', changed: true },
  ]);
  expect((await model('shares', 'send', id, other, '250000', '--dev')).code).toBe(0);
  expect((await model('shares', 'show', id, '--holder', other)).events).toMatchObject([{ holder: other, shares: '250000', earnings: [] }]);
  expect((await model('shares', 'show', id, '--dev')).events).toMatchObject([{ holder: owner, shares: '750000' }]);
  expect((await model('shares', 'collect', id, '--dev')).events).toMatchObject([{ event: 'collected', paid: [] }]);

  // another owner
  expect((await model('accept', id, '--key-file', otherKeyFile)).err).toContain('NotPendingOwner');
  expect((await model('transfer', id, other, '--dev')).events).toMatchObject([{ event: 'offered', to: other }]);
  expect((await model('accept', id, '--key-file', otherKeyFile)).events).toMatchObject([{ event: 'accepted', owner: other }]);
  expect((await model('show', id)).events).toMatchObject([
    {
      id,
      owner: other,
      proven: true,
      manifestPointer: 'http://m',
      deposit: { amount: '0.01', depositor: owner },
      shares: { royalty: 250 },
    },
  ]);
  expect((await run('model', 'show', id, '--data', network.data)).out).toContain(`owner    ${other}\n`);
}, 60_000);

test.each([
  [['publish', '/nowhere', '--dev'], /holds no model package/u],
  [['prove', `0x${'12'.repeat(32)}`, '--dev'], /holds no model package/u],
  [['show', '0x12'], /expected a model id/u],
  [['show', `0x${'12'.repeat(32)}`], /is published on this chain/u],
  [['transfer', `0x${'12'.repeat(32)}`, BOB, '--dev'], /is published on this chain/u],
  [['challenge', `0x${'12'.repeat(32)}`, '/nowhere', '--dev'], /is not there/u],
  [['tag', 'x', 'latest', 'smollm', '--dev'], /expected a model id/u],
  [['versions', 'tiny'], /a name needs its owner/u],
  [['versions', 'nothing', '--owner', BOB], /no line nothing/u],
  [['shares', 'found', `0x${'12'.repeat(32)}`, '--parent', 'x', '--dev'], /--parent: expected a weights root/u],
  [['shares', 'send', `0x${'12'.repeat(32)}`, BOB, '1000001', '--dev'], /from 1 to 1000000/u],
])('model %j says what is wrong', async (argv, message) => {
  const { code, err } = await model(...argv);
  expect({ code, err }).toEqual({ code: 2, err: expect.stringMatching(message) as string });
});

test('every command has help with an example and exit codes', async () => {
  const names = ['publish', 'prove', 'challenge', 'deposit', 'show', 'transfer', 'accept', 'tag', 'versions'];
  for (const argv of [...names.map((name) => [name]), ...['found', 'show', 'send', 'collect'].map((name) => ['shares', name])]) {
    const help = await run('model', ...argv, '--help');
    expect(help.code).toBe(0);
    expect(help.out).toMatch(/Example:\n {2}\$ commonweight model/u);
    expect(help.out).toContain('Exit codes');
  }
});
