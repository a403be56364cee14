// oxlint reads tests outside of any project: it has to be told about `await using`
/// <reference lib="esnext.disposable" />
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, test } from 'vitest';
import { connectChain } from './clients.ts';
import { deployDevNetwork } from './deploy/deploy-dev-network.ts';
import { startDevChain } from './dev-chain.ts';
import { openDevChainFolder, readIdentity } from './dev-chain-files.ts';
import { anvilMarks, guardMarks, lockDevChain } from './dev-chain-lock.ts';
import { type ChainError } from './errors.ts';
import { jsonRpc } from './platform/json-rpc.ts';
import { findProcesses, killProcess } from './process-identity.ts';
import { temporaryFolder } from './testing/folders.ts';

const SOMEBODY = `0x${'51'.repeat(20)}` as const;
const balance = (rpcUrl: string): Promise<unknown> => jsonRpc(rpcUrl, 'eth_getBalance', [SOMEBODY, 'latest']);

/** Process ids of every guard and anvil of a folder. */
async function processesOf(dataDir: string): Promise<number[]> {
  const paths = await openDevChainFolder(dataDir);
  return [...(await findProcesses(guardMarks(paths))), ...(await findProcesses(anvilMarks(paths)))];
}
const expectNoProcess = (dataDir: string): Promise<void> => expect.poll(() => processesOf(dataDir), { timeout: 20_000 }).toEqual([]);

describe('startDevChain', () => {
  test('starts on loopback with a random chain id and a funded account, and stops without a trace', async () => {
    await using folder = await temporaryFolder();
    const chain = await startDevChain({ dataDir: folder.path });
    expect(chain.rpcUrl).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect(await jsonRpc(chain.rpcUrl, 'eth_chainId')).toBe(`0x${chain.chainId.toString(16)}`);
    expect(chain.chainId).toBeGreaterThan(2 ** 32);
    // nobody can spend through the node: it holds no keys
    expect(await jsonRpc(chain.rpcUrl, 'eth_accounts')).toEqual([]);
    await chain.fund(SOMEBODY, 5n);
    await chain.fund(SOMEBODY, 3n);
    expect(await balance(chain.rpcUrl)).toBe('0x5');
    expect((await processesOf(folder.path)).length).toBe(2);
    await chain.stop();
    await chain.stop();
    expect(await chain.ended).toBeUndefined();
    expect(await processesOf(folder.path)).toEqual([]);
  });

  test('keeps keys in a file that only its owner reads, and out of every command line', async () => {
    await using folder = await temporaryFolder();
    await using chain = await startDevChain({ dataDir: folder.path });
    const paths = await openDevChainFolder(folder.path);
    expect((await stat(paths.identity)).mode & 0o777).toBe(0o600);
    expect(await findProcesses([chain.devAccount.privateKey.slice(2)])).toEqual([]);
    expect((await readIdentity(paths))?.devKey).toBe(chain.devAccount.privateKey);
  });

  test('a restart keeps blocks, contracts, chain id, account and port', async () => {
    await using folder = await temporaryFolder();
    const first = await startDevChain({ dataDir: folder.path });
    const deployments = await deployDevNetwork({ ...first, privateKey: first.devAccount.privateKey });
    await first.fund(SOMEBODY, 7n);
    const block = await jsonRpc(first.rpcUrl, 'eth_blockNumber');
    await first.stop();
    await using second = await startDevChain({ dataDir: folder.path });
    expect(first.restored).toBe(false);
    expect(second).toMatchObject({ restored: true, chainId: first.chainId, rpcUrl: first.rpcUrl, devAccount: first.devAccount });
    expect(await jsonRpc(second.rpcUrl, 'eth_blockNumber')).toBe(block);
    expect(await balance(second.rpcUrl)).toBe('0x7');
    expect(await (await connectChain({ ...second, deployments })).listNodes()).toEqual([]);
  });

  test('takes another port when the one of last time is taken', async () => {
    await using folder = await temporaryFolder();
    const first = await startDevChain({ dataDir: folder.path });
    await first.stop();
    const server = createServer().listen(Number(new URL(first.rpcUrl).port), '127.0.0.1');
    await once(server, 'listening');
    await using second = await startDevChain({ dataDir: folder.path });
    server.close();
    expect(second.rpcUrl).not.toBe(first.rpcUrl);
    expect(second.chainId).toBe(first.chainId);
  });

  test('writes a snapshot of its own accord after new blocks', async () => {
    await using folder = await temporaryFolder();
    await using chain = await startDevChain({ dataDir: folder.path });
    await chain.fund(SOMEBODY, 9n);
    const { snapshot } = await openDevChainFolder(folder.path);
    await expect.poll(() => readFile(snapshot, 'utf8').catch(() => ''), { timeout: 20_000 }).toContain(SOMEBODY);
  });

  test('refuses a second chain in the same folder', async () => {
    await using folder = await temporaryFolder();
    await using chain = await startDevChain({ dataDir: folder.path });
    const paths = await openDevChainFolder(folder.path);
    await expect(lockDevChain(paths, { wait: 0 })).rejects.toMatchObject({ code: 'dev_chain_locked' });
    await expect(lockDevChain(paths, { signal: AbortSignal.abort() })).rejects.toMatchObject({ name: 'AbortError' });
    await expect(startDevChain({ dataDir: folder.path })).rejects.toMatchObject({
      code: 'dev_chain_locked',
      message: expect.stringContaining(String(chain.guardPid)),
    });
    // and the first one goes on
    expect(await jsonRpc(chain.rpcUrl, 'eth_blockNumber')).toBe('0x0');
  });

  test('of three starts at once in a fresh folder one wins, and lives', async () => {
    await using folder = await temporaryFolder();
    const starts = await Promise.allSettled([1, 2, 3].map(() => startDevChain({ dataDir: folder.path })));
    const winners = starts.flatMap((start) => (start.status === 'fulfilled' ? [start.value] : []));
    const losers = starts.flatMap((start) => (start.status === 'rejected' ? [(start.reason as ChainError).code] : []));
    expect(losers).toEqual(['dev_chain_locked', 'dev_chain_locked']);
    expect(await jsonRpc(winners[0]!.rpcUrl, 'eth_blockNumber')).toBe('0x0');
    await winners[0]!.stop();
    expect(await processesOf(folder.path)).toEqual([]);
  });

  test('stops when its signal aborts', async () => {
    await using folder = await temporaryFolder();
    const abort = new AbortController();
    const chain = await startDevChain({ dataDir: folder.path, signal: abort.signal });
    abort.abort();
    expect(await chain.ended).toBeUndefined();
    expect(await processesOf(folder.path)).toEqual([]);
    await expect(startDevChain({ dataDir: folder.path, signal: abort.signal })).rejects.toThrow(/aborted/);
  });
});

describe('crashes', () => {
  test('kill -9 of the parent leaves no process and loses no block', async () => {
    await using folder = await temporaryFolder();
    const { pid, port } = await startInAnotherProcess(folder.path);
    expect((await processesOf(folder.path)).length).toBe(2);
    await jsonRpc(`http://127.0.0.1:${port}`, 'anvil_mine', ['0x3']);
    killProcess(pid);
    await expectNoProcess(folder.path);
    await using again = await startDevChain({ dataDir: folder.path });
    expect(await jsonRpc(again.rpcUrl, 'eth_blockNumber')).toBe('0x3');
  });

  test('kill -9 of the guard ends anvil as well, and says so', async () => {
    await using folder = await temporaryFolder();
    const chain = await startDevChain({ dataDir: folder.path });
    killProcess(chain.guardPid);
    expect(await chain.ended).toMatchObject({ code: 'dev_chain_failed', message: expect.stringContaining('SIGKILL') });
    await expectNoProcess(folder.path);
    await using again = await startDevChain({ dataDir: folder.path });
    expect(again.chainId).toBe(chain.chainId);
  });

  test('kill -9 of parent and guard: the next start ends the orphan', async () => {
    await using folder = await temporaryFolder();
    const { pid } = await startInAnotherProcess(folder.path);
    const paths = await openDevChainFolder(folder.path);
    const [guard] = await findProcesses(guardMarks(paths));
    killProcess(pid);
    killProcess(guard!);
    await expect.poll(() => findProcesses(guardMarks(paths)), { timeout: 20_000 }).toEqual([]);
    const orphans = await findProcesses(anvilMarks(paths));
    const log: string[] = [];
    await using again = await startDevChain({ dataDir: folder.path, log: (message) => log.push(message) });
    expect(await jsonRpc(again.rpcUrl, 'eth_blockNumber')).toBe('0x0');
    const now = await findProcesses(anvilMarks(paths));
    expect(now.length).toBe(1);
    expect(orphans).not.toContain(now[0]);
    for (const orphan of orphans) expect(log.join('\n')).toContain(`process ${orphan}`);
  });

  test('anvil dies: the chain ends with the reason', async () => {
    await using folder = await temporaryFolder();
    const chain = await startDevChain({ dataDir: folder.path });
    const [anvil] = await findProcesses(anvilMarks(await openDevChainFolder(folder.path)));
    killProcess(anvil!);
    expect(await chain.ended).toMatchObject({ code: 'dev_chain_failed', message: expect.stringContaining('killed by SIGKILL') });
    await expectNoProcess(folder.path);
  });

  test('a truncated snapshot: the one before is used', async () => {
    await using folder = await temporaryFolder();
    const { snapshot } = await runTwice(folder.path);
    await writeFile(snapshot, (await readFile(snapshot)).subarray(0, 1000));
    const log: string[] = [];
    await using chain = await startDevChain({ dataDir: folder.path, log: (message) => log.push(message) });
    expect(chain.restored).toBe(true);
    expect(await balance(chain.rpcUrl)).toBe('0x1');
    expect(log.join('\n')).toContain('damaged');
  });

  test('a snapshot that is JSON but no state: the one before is used', async () => {
    await using folder = await temporaryFolder();
    const { snapshot } = await runTwice(folder.path);
    await writeFile(snapshot, '{"block":1}');
    const log: string[] = [];
    await using chain = await startDevChain({ dataDir: folder.path, log: (message) => log.push(message) });
    expect(await balance(chain.rpcUrl)).toBe('0x1');
    expect(log.join('\n')).toContain('anvil does not take');
  });

  test('no usable snapshot: a fresh chain with the same identity', async () => {
    await using folder = await temporaryFolder();
    const { snapshot, previousSnapshot, chainId } = await runTwice(folder.path);
    await writeFile(snapshot, '');
    await writeFile(previousSnapshot, '{');
    // what a crash in the middle of a write leaves
    await writeFile(join(folder.path, 'snapshot.json.1.tmp'), '{"half":');
    await using chain = await startDevChain({ dataDir: folder.path });
    expect(chain).toMatchObject({ restored: false, chainId });
    await chain.fund(SOMEBODY, 4n);
    expect(await balance(chain.rpcUrl)).toBe('0x4');
  });

  test('a damaged identity is an error that says what to do', async () => {
    await using folder = await temporaryFolder();
    await writeFile(join(folder.path, 'identity.json'), '{"chainId":1}');
    await expect(startDevChain({ dataDir: folder.path })).rejects.toMatchObject({
      code: 'dev_chain_file',
      message: expect.stringContaining('remove the folder'),
    } satisfies Partial<Record<keyof ChainError, unknown>>);
  });
});

/** Two runs, so that there are two snapshots: SOMEBODY has 1 wei in the older, 2 in the newer. */
async function runTwice(dataDir: string): Promise<{ snapshot: string; previousSnapshot: string; chainId: number }> {
  let chainId = 0;
  for (const wei of [1n, 2n]) {
    const chain = await startDevChain({ dataDir });
    await chain.fund(SOMEBODY, wei);
    await chain.stop();
    chainId = chain.chainId;
  }
  return { ...(await openDevChainFolder(dataDir)), chainId };
}

/** A process that starts a chain and then only waits to be killed. */
async function startInAnotherProcess(dataDir: string): Promise<{ pid: number; port: number }> {
  const library = new URL('../dist/index.js', import.meta.url).href;
  const code = `const { startDevChain } = await import(${JSON.stringify(library)});
    const chain = await startDevChain({ dataDir: ${JSON.stringify(dataDir)} });
    console.log(new URL(chain.rpcUrl).port);
    setInterval(() => undefined, 1 << 30);`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', code], { stdio: ['ignore', 'pipe', 'inherit'] });
  for await (const line of createInterface(child.stdout)) return { pid: child.pid!, port: Number(line) };
  throw new Error('the process ended without starting a chain');
}
