import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ContractAddresses, contractNames, devDeploymentDigest, writeDeployments } from '@commonweight/chain';
import { type Hex32, toHex } from '@commonweight/protocol';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { expectedRpcUrl, writeChainUrl } from './chain-url.ts';
import { type Layout, layout } from './layout.ts';

let folder: string;
let folders: Layout;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'commonweight-'));
  folders = layout(folder);
  mkdirSync(folders.chain, { recursive: true });
});
afterEach(() => rmSync(folder, { recursive: true }));

const addresses = Object.fromEntries(contractNames.map((name) => [name, `0x${'11'.repeat(20)}`])) as ContractAddresses;
const deploy = (digest: Hex32 = devDeploymentDigest) =>
  writeDeployments(folders.deployments, { chainId: 7, startBlock: 0, digest, ...addresses });

it('expects the chain where it was, once contracts are deployed', async () => {
  expect(await expectedRpcUrl(folders)).toBeUndefined();
  writeChainUrl(folders, 'http://127.0.0.1:40123');
  expect(await expectedRpcUrl(folders)).toBeUndefined();
  await deploy();
  expect(await expectedRpcUrl(folders)).toBe('http://127.0.0.1:40123');
});

it('expects nothing after the contracts of another version', async () => {
  writeChainUrl(folders, 'http://127.0.0.1:40123');
  await deploy(toHex(new Uint8Array(32)) as Hex32);
  expect(await expectedRpcUrl(folders)).toBeUndefined();
});

it.each(['http://example.org:80', 'http://127.0.0.1:1/path', '', 'x'.repeat(10)])(
  'takes nothing but a loopback URL from the file: %j',
  async (text) => {
    await deploy();
    writeFileSync(join(folders.chain, 'rpc-url'), text);
    expect(await expectedRpcUrl(folders)).toBeUndefined();
  },
);
