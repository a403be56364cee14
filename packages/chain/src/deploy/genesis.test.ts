import { readFileSync, readdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { temporaryFolder } from '../testing/folders.ts';
import { devGenesis } from './dev-genesis.ts';
import { parameterUnits } from './parameter-units.ts';
import { parseAllocation, parseParameters } from './parse-genesis.ts';
import { readGenesis } from './read-genesis.ts';
import { requireSoundBounds } from './require-sound-bounds.ts';

const root = fileURLToPath(new URL('../../../../', import.meta.url));
const read = (name: string): Record<string, unknown> =>
  JSON.parse(readFileSync(join(root, 'genesis', name), 'utf8')) as Record<string, unknown>;
const ether = 10n ** 18n;
const holder = `0x${'11'.repeat(20)}` as const;

describe('the genesis of this repository', () => {
  test('is read; its holders are not named yet', async () => {
    const genesis = await readGenesis(join(root, 'genesis'));
    expect(genesis.holders.reduce((sum, { amount }) => sum + amount, 0n)).toBe(1_000_000_000n * ether);
    expect(genesis.parameters.find(({ name }) => name === 'auditRate')).toEqual({
      name: 'auditRate',
      value: 100n,
      minimum: 10n,
      maximum: 5_000n,
    });
    expect(genesis.nodes).toEqual({ minimumBond: ether / 10n, unbondingDelay: 86_400 });
    expect(genesis.auditSeed).toEqual({ source: 'drand', margin: 1_800 });
  });

  test('has every parameter that a contract asks for by name, and so has the development network', () => {
    const sources = readdirSync(join(root, 'contracts/src'), { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.sol'));
    const asked = sources.flatMap((name) => {
      const text = readFileSync(join(root, 'contracts/src', name), 'utf8');
      return [...text.matchAll(/bytes32 (?:public|internal|private) constant \w+ = "(\w+)"/gu)].map((match) => match[1]!);
    });
    expect(asked).toContain('thawPeriod');
    expect(Object.keys(parameterUnits)).toEqual(expect.arrayContaining(asked));
    expect(devGenesis(holder).parameters.map(({ name }) => name)).toEqual(Object.keys(parameterUnits));
    expect(() => requireSoundBounds(devGenesis(holder).parameters, 'dev')).not.toThrow();
  });

  test('leaves time to cover a payment before it goes back, and so does that of the development network', async () => {
    for (const { parameters } of [await readGenesis(join(root, 'genesis')), devGenesis(holder)]) {
      const valueOf = (wanted: string): bigint => parameters.find(({ name }) => name === wanted)!.value;
      expect(valueOf('refundWindow')).toBeGreaterThan(valueOf('disputeWindow') + valueOf('postingWindow'));
    }
  });
});

describe('parseAllocation', () => {
  const good = {
    token: { name: 'T', symbol: 'T' },
    supply: '3',
    holders: [
      { name: 'a', holder, amount: '2.5' },
      { name: 'b', holder: null, amount: '0.5' },
    ],
  };

  test('amounts are whole tokens with decimals', () => {
    expect(parseAllocation(good).holders).toEqual([
      { name: 'a', holder, amount: (5n * ether) / 2n },
      { name: 'b', holder: undefined, amount: ether / 2n },
    ]);
  });

  test.each([
    ['a supply that is another sum', { ...good, supply: '4' }, /supply/u],
    ['a holder twice', { ...good, supply: '5', holders: [good.holders[0], good.holders[0]] }, /twice/u],
    ['nothing', { ...good, supply: '0', holders: [{ name: 'a', holder, amount: '0' }] }, /more than zero/u],
    ['the zero address', { ...good, holders: [{ name: 'a', holder: `0x${'00'.repeat(20)}`, amount: '3' }] }, /address/u],
    ['an unknown field', { ...good, vesting: 1 }, /unknown/u],
  ])('%s is refused', (_, value, message) => {
    expect(() => parseAllocation(value)).toThrow(message);
  });
});

describe('parseParameters', () => {
  const good = read('parameters.json') as { parameters: Record<string, object>; split: object; governor: object };
  const auditRate = { value: 100, minimum: 10, maximum: 5000, unit: 'basis points' };
  const withAudit = (change: object) => ({ ...good, parameters: { ...good.parameters, auditRate: { ...auditRate, ...change } } });
  const withBounds = (name: string, change: object) => ({
    ...good,
    parameters: { ...good.parameters, [name]: { ...good.parameters[name], ...change } },
  });
  const { thawPeriod: _, ...withoutThaw } = good.parameters;

  test('an asset says in whole units what stake it locks', () => {
    const asset = { name: 'Dollar', asset: holder, decimals: 6, stakePerUnit: '0.5' };
    expect(parseParameters({ ...good, assets: [asset] }).assets).toEqual([
      { name: 'Dollar', chainId: undefined, asset: holder, ratio: (ether * 10n ** 12n) / 2n },
    ]);
    expect(() => parseParameters({ ...good, assets: [asset, asset] })).toThrow(/twice/u);
    for (const stakePerUnit of ['0', '1000001'])
      expect(() => parseParameters({ ...good, assets: [{ ...asset, stakePerUnit }] })).toThrow(/more than zero/u);
  });

  test.each([
    ['a value out of its bounds', withAudit({ value: 9 }), /from 10 to 5000/u],
    ['a refund before the receipt can be shown', withBounds('refundWindow', { value: 345_600 }), /more than .* \(345600 seconds\)/u],
    ['another unit', withAudit({ unit: 'percent' }), /basis points/u],
    ['a missing parameter', { ...good, parameters: withoutThaw }, /thawPeriod/u],
    ['a parameter that no contract knows', { ...good, parameters: { ...good.parameters, fee: auditRate } }, /fee/u],
    ['a split that is not whole', { ...good, split: { ...good.split, node: 7001 } }, /sum of 10001/u],
    ['a split that leaves the node too little', { ...good, split: { ...good.split, node: 2000, model: 6500 } }, /at least 2500/u],
    ['a source of audit seeds that nobody knows', { ...good, auditSeed: { source: 'dice' } }, /drand/u],
    ['a beacon without a margin', { ...good, auditSeed: { source: 'drand' } }, /margin/u],
    ['block hashes with a margin', { ...good, auditSeed: { source: 'blockhash', margin: 1 } }, /margin/u],
    ['a bond that votes can make nothing', withBounds('challengeBond', { minimum: '0' }), /more than zero/u],
    ['a deposit that votes can make nothing', withBounds('modelDeposit', { minimum: '0' }), /more than zero/u],
    ['a thaw that votes can end before an omission is shown', withBounds('thawPeriod', { minimum: 518_399 }), /at least 518400/u],
    ['a window that votes can make longer than a thaw', withBounds('answerWindow', { maximum: 259_201 }), /at least 518401/u],
    ['a quorum of nobody', { ...good, governor: { ...good.governor, quorumPercent: 0 } }, /quorumPercent/u],
  ])('%s is refused', (_name, value, message) => {
    expect(() => parseParameters(value)).toThrow(message);
  });
});

test('readGenesis names the file', async () => {
  await using folder = await temporaryFolder();
  await expect(readGenesis(folder.path)).rejects.toMatchObject({
    code: 'bad_genesis',
    message: expect.stringContaining('allocation.json is not there'),
  });
  await writeFile(join(folder.path, 'allocation.json'), '{');
  await writeFile(join(folder.path, 'parameters.json'), JSON.stringify(read('parameters.json')));
  await expect(readGenesis(folder.path)).rejects.toMatchObject({
    code: 'bad_genesis',
    message: expect.stringContaining('allocation.json: expected JSON'),
  });
  await writeFile(join(folder.path, 'allocation.json'), '{}');
  await expect(readGenesis(folder.path)).rejects.toMatchObject({
    code: 'bad_genesis',
    message: expect.stringContaining('allocation.json.token'),
  });
});
