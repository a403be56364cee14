import { generateKey, startDevChain } from '@commonweight/chain';
import { addressOfKey } from '@commonweight/protocol';
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { run } from '../testing/dev-data.ts';

const root = new URL('../../../../genesis/', import.meta.url);
let folder: string;
let chain: Awaited<ReturnType<typeof startDevChain>>;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'commonweight-deploy-'));
  chain = await startDevChain({ dataDir: join(folder, 'chain') });
  await writeFile(join(folder, 'payer.key'), `${chain.devAccount.privateKey}\n`, { mode: 0o600 });
  await writeFile(join(folder, 'poor.key'), `${generateKey()}\n`, { mode: 0o600 });
  await copyFile(new URL('parameters.json', root), join(folder, 'parameters.json'));
});
afterAll(async () => {
  await chain.stop();
  await rm(folder, { recursive: true, force: true });
});

const deploy = (...argv: string[]) =>
  run('deploy', '--rpc-url', chain.rpcUrl, '--genesis', folder, '--out', join(folder, 'deployments.json'), '--json', ...argv);
const paying = (...argv: string[]) => deploy('--key-file', join(folder, 'payer.key'), ...argv);

test('the genesis of the repository names nobody yet, and is refused', async () => {
  await copyFile(new URL('allocation.json', root), join(folder, 'allocation.json'));
  const { code, err } = await paying('--dry-run');
  expect({ code, err }).toEqual({
    code: 2,
    err: expect.stringMatching(/names no address for operators of the first network, owners of models/u),
  });
});

test('founds a network: a dry run first, then the contracts, then nothing more', async () => {
  const holders = [{ name: 'somebody', holder: addressOfKey(generateKey()), amount: '1000' }];
  await writeFile(
    join(folder, 'allocation.json'),
    JSON.stringify({ token: { name: 'Commonweight', symbol: 'CWT' }, supply: '1000', holders }),
  );
  const [plan, ...none] = (await paying('--dry-run')).events;
  expect(none).toEqual([]);
  const { addresses, missing } = plan as { addresses: Record<string, string>; missing: { name: string }[] };

  expect((await deploy('--key-file', join(folder, 'poor.key'))).events).toMatchObject([{ event: 'error', code: 'insufficient_funds' }]);
  expect(await paying('--chain-id', '1')).toMatchObject({ code: 2, err: expect.stringContaining('expected 1') });

  const deployed = await paying('--chain-id', String(chain.chainId));
  expect(deployed.events.map(({ event }) => event)).toEqual(['plan', ...missing.map(() => 'created'), 'verified', 'deployed']);
  const written = JSON.parse(await readFile(join(folder, 'deployments.json'), 'utf8')) as Record<string, unknown>;
  expect(written).toMatchObject({ ...addresses, chainId: chain.chainId });

  const again = await deploy('--key-file', join(folder, 'poor.key'));
  expect(again).toMatchObject({ code: 0 });
  expect(again.events.map(({ event }) => event)).toEqual(['plan', 'verified', 'deployed']);
});
