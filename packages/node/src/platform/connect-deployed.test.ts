import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ContractAddresses, contractNames, writeDeployments } from '@commonweight/chain';
import { ZERO_HEX32 } from '@commonweight/protocol';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { chainConnectLimits } from '../limits.ts';
import type { Clock } from './clock.ts';
import { connectDeployed } from './connect-deployed.ts';

const address = `0x${'11'.repeat(20)}` as const;
let folder: string;
let deploymentsFile: string;
let rpcUrl: string;

/** Time that passes only while somebody sleeps. */
class StillClock implements Clock {
  time = 0;
  sleeps = 0;
  now = (): number => this.time;
  sleep = async (ms: number): Promise<void> => {
    this.sleeps++;
    this.time += ms;
  };
  after = (): (() => void) => () => undefined;
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'commonweight-'));
  deploymentsFile = join(folder, 'deployments.json');
  // a port that nobody listens on: taken for a moment, then given back
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  rpcUrl = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
  await new Promise((resolve) => server.close(resolve));
});
afterEach(() => rmSync(folder, { recursive: true }));

const addresses = Object.fromEntries(contractNames.map((name) => [name, address])) as ContractAddresses;
const deploy = () => writeDeployments(deploymentsFile, { chainId: 7, startBlock: 0, digest: ZERO_HEX32, ...addresses });

it('waits for a chain that cannot be reached, and gives up after the limit with its error', async () => {
  await deploy();
  const clock = new StillClock();
  await expect(connectDeployed({ rpcUrl, deploymentsFile }, clock, undefined)).rejects.toMatchObject({ code: 'chain_unreachable' });
  expect(clock.sleeps).toBe(chainConnectLimits.waitMs / chainConnectLimits.pollMs);
});

it('does not wait when the contracts were never deployed', async () => {
  const clock = new StillClock();
  await expect(connectDeployed({ rpcUrl, deploymentsFile }, clock, undefined)).rejects.toMatchObject({ code: 'no_deployments' });
  expect(clock.sleeps).toBe(0);
});

it('stops waiting when it is told to', async () => {
  await deploy();
  const controller = new AbortController();
  const clock = new StillClock();
  clock.sleep = async () => controller.abort(new Error('enough'));
  await expect(connectDeployed({ rpcUrl, deploymentsFile }, clock, controller.signal)).rejects.toThrow('enough');
});
