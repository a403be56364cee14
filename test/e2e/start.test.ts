import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { type Socket, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { requireRealModel } from '@commonweight/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Network, type NetworkEvent, processesLeft } from '../../scripts/lib/network.mjs';

const found = await requireRealModel();
const cli = fileURLToPath(new URL('../../packages/cli/bin/commonweight.js', import.meta.url));

/** Milliseconds from Ctrl-C to the end of everything: a second on a machine of its own, and room for one that is shared. */
const ABORTED_START = 3_000;

describe.skipIf('reason' in found)(`starting a network again${'reason' in found ? ` (skipped: ${found.reason})` : ''}`, () => {
  let data: string;
  let usual: number;
  const startNetwork = (): Network => new Network(process.execPath, [cli, 'dev', '--json', '--port', '0', '--data', data]);
  const chainUrl = (): string => readFileSync(join(data, 'chain', 'rpc-url'), 'utf8').trim();
  const portsOf = ({ nodes }: { readonly nodes: readonly { readonly url: string }[] }): string[] => nodes.map(({ url }) => url);

  beforeAll(async () => {
    if ('reason' in found) return;
    data = join(mkdtempSync(join(tmpdir(), 'commonweight-start-')), 'data');
    mkdirSync(join(data, 'models'), { recursive: true });
    symlinkSync(found.dir, join(data, 'models', basename(found.dir)));
    const network = startNetwork();
    await network.ready();
    await network.stop();
  });

  afterAll(async () => {
    if (data === undefined) return;
    const left = await processesLeft(data, 10_000);
    rmSync(join(data, '..'), { recursive: true, force: true });
    if (left.length > 0) throw new Error(`processes left: ${left.join(', ')}`);
  });

  it('chain and nodes are where they were', async () => {
    const before = chainUrl();
    const first = startNetwork();
    const ready = await first.ready();
    usual = ready.seconds;
    await first.stop();
    const second = startNetwork();
    expect(portsOf(await second.ready())).toEqual(portsOf(ready));
    await second.stop();
    expect(chainUrl()).toBe(before);
  });

  const moments: readonly [string, (event: NetworkEvent) => boolean][] = [
    ['the chain starts', ({ event }) => event === 'chain'],
    ['the contracts are there', ({ event }) => event === 'contracts'],
    ['the model is published', ({ event, phase }) => event === 'model' && phase === 'published'],
    ['the first process serves', ({ event }) => event === 'process'],
  ];
  it.each(moments)('Ctrl-C when %s ends everything at once', async (_, moment) => {
    const network = startNetwork();
    await network.event(moment);
    const pressed = performance.now();
    expect(await network.stop()).toBe(0);
    expect(performance.now() - pressed).toBeLessThan(ABORTED_START);
    expect(await processesLeft(data, 0)).toEqual([]);
  });

  it('a silent program on the port of the chain costs no time-outs', async () => {
    const before = chainUrl();
    const sockets = new Set<Socket>();
    const silent = createServer((socket) => void sockets.add(socket)).listen(Number(new URL(before).port), '127.0.0.1');
    try {
      await once(silent, 'listening');
      const network = startNetwork();
      const { seconds } = await network.ready();
      await network.stop();
      expect(chainUrl()).not.toBe(before);
      expect(sockets.size).toBe(0);
      // one more than usual: the nodes start behind the chain instead of beside it
      expect(seconds).toBeLessThan(2 * usual + 1);
    } finally {
      sockets.forEach((socket) => socket.destroy());
      silent.close();
    }
  });
});
