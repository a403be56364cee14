import { type Address, ZERO_ADDRESS } from '@commonweight/protocol';
import { expect, test } from 'vitest';
import { gatewayLimits as limits } from '../../limits.ts';
import { TestClock } from '../testing/test-gateway.ts';
import { NodeDirectory, type NodeHealth, type RegisteredNode } from './node-directory.ts';

const id = (n: number): Address => `0x${String(n).padStart(40, '0')}` as Address;
const entry = (n: number, endpoint = `http://127.0.0.1:${n}`): RegisteredNode => ({
  node: id(n),
  sessionKey: id(99),
  endpoint,
  models: [],
  prices: [],
  bond: 5n,
});

function setUp(
  list: () => Promise<readonly RegisteredNode[]>,
  probe: (node: Address) => Promise<NodeHealth> = async () => ({ status: 'ok' }),
) {
  const clock = new TestClock();
  const failures: unknown[] = [];
  const refused: [Address, string][] = [];
  let reads = 0;
  const directory = new NodeDirectory({
    listNodes: () => {
      reads++;
      return list();
    },
    probe: async (node) => ({ health: await probe(node) }),
    allowLoopback: true,
    clock,
    caps: { maxPromptPrice: '10', maxCompletionPrice: '10', asset: ZERO_ADDRESS },
    onChainFailure: (error) => failures.push(error),
    onPriceRefused: (node, _, { code }) => refused.push([node, code]),
  });
  return { directory, clock, failures, refused, reads: () => reads };
}

test('nodes with their health; an endpoint that may not be dialled is never asked', async () => {
  const asked: Address[] = [];
  const { directory } = setUp(
    async () => [entry(1), entry(2, 'http://192.168.0.1'), entry(3)],
    async (node) => {
      asked.push(node);
      if (node === id(3)) throw new Error('refused');
      return { status: 'ok' };
    },
  );
  const nodes = await directory.nodes();
  expect(nodes.map(({ health }) => health.status)).toEqual(['ok', 'down', 'down']);
  expect(nodes[1]).toMatchObject({ url: undefined, health: { reason: expect.stringMatching(/private/) } });
  expect(asked).toEqual([id(1), id(3)]);
});

test('a fresh list is used on; a stale one is renewed, once for all who ask', async () => {
  const { directory, clock, reads } = setUp(async () => [entry(1)]);
  await Promise.all([directory.nodes(), directory.nodes()]);
  await directory.nodes();
  expect(reads()).toBe(1);
  clock.pass(limits.nodesFreshMs + 1);
  await Promise.all([directory.nodes(0), directory.nodes(), directory.nodes(0)]);
  expect(reads()).toBe(2);
});

test('when the chain cannot be read the known list is used on', async () => {
  let works = true;
  const { directory, failures } = setUp(async () => {
    if (!works) throw new Error('down');
    return [entry(1)];
  });
  await directory.refresh();
  works = false;
  await directory.refresh();
  expect(failures).toHaveLength(1);
  expect(await directory.nodes()).toHaveLength(1);
});

test('a hanging probe does not hold up the others, and at most a few are asked at once', async () => {
  let running = 0;
  let most = 0;
  const { directory } = setUp(
    async () => Array.from({ length: 40 }, (_, i) => entry(i + 1)),
    async () => {
      most = Math.max(most, ++running);
      await Promise.resolve();
      running--;
      return { status: 'ok' };
    },
  );
  expect(await directory.nodes()).toHaveLength(40);
  expect(most).toBe(limits.probesAtOnce);
});

test('standing: runs, failures and refusals are remembered while a node is registered', async () => {
  let registered = [entry(1)];
  const { directory, clock } = setUp(async () => registered);
  await directory.refresh();
  const over = directory.begin(id(1));
  directory.refused(id(1));
  directory.failed(id(1));
  await directory.refresh();
  expect(await directory.node(id(1))).toMatchObject({ outstanding: 1, refusals: 1 });
  expect((await directory.node(id(1)))!.avoidUntil).toBeGreaterThan(clock.now());
  over();
  registered = [];
  await directory.refresh();
  registered = [entry(1)];
  await directory.refresh();
  expect(await directory.node(id(1))).toMatchObject({ outstanding: 0, refusals: 0 });
});

test('a node that asks too much is named once, again when its price changes, and not when it is cheap', async () => {
  const modelId = `0x${'11'.repeat(32)}` as const;
  let promptPrice = 11n;
  const priced = (n: number, price: bigint): RegisteredNode => ({
    ...entry(n),
    models: [modelId],
    prices: [{ modelId, asset: ZERO_ADDRESS, promptPrice: price, completionPrice: 0n }],
  });
  const { directory, refused } = setUp(async () => [priced(1, promptPrice), priced(2, 10n)]);
  for (const price of [11n, 11n, 12n, 10n, 12n]) {
    promptPrice = price;
    await directory.refresh();
    const [first, second] = await directory.nodes();
    expect([first!.priceRefusals.size, second!.priceRefusals.size]).toEqual([price > 10n ? 1 : 0, 0]);
  }
  expect(refused).toEqual([1, 2, 3].map(() => [id(1), 'above_maximum']));
});
