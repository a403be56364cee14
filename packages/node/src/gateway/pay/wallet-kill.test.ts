import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { dieSteps } from '../../journal/testing/die-at.ts';
import { modelId, node, offer, walletOptions } from './testing/wallet.ts';
import { Wallet } from './wallet.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'commonweight-wallet-kill-'));
});
const children: ChildProcess[] = [];
afterEach(async () => {
  // a failed test must leave no process behind
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await rm(folder, { recursive: true, force: true });
});

interface Left {
  /** The highest voucher that left the process. */
  voucher: bigint;
  /** All deposits that left it. */
  deposits: bigint;
  charged: bigint;
  lines: number;
}

const program = fileURLToPath(new URL('./testing/wallet-child.ts', import.meta.url));

/** What left the process before it died. @param killAfter - lines after which it is killed from outside */
async function leftUntilDeath(options: string[], killAfter?: number): Promise<Left> {
  const child = spawn(process.execPath, ['--import', 'tsx', program, folder, ...options], { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  const ended = once(child, 'exit');
  const left: Left = { voucher: 0n, deposits: 0n, charged: 0n, lines: 0 };
  for await (const line of createInterface(child.stdout)) {
    if (line === 'open') continue;
    left.lines++;
    const { voucher, deposit, charged } = JSON.parse(line) as Partial<Record<'voucher' | 'deposit' | 'charged', string>>;
    if (voucher !== undefined && BigInt(voucher) > left.voucher) left.voucher = BigInt(voucher);
    if (deposit !== undefined) left.deposits += BigInt(deposit);
    if (charged !== undefined) left.charged = BigInt(charged);
    if (left.lines === killAfter) child.kill('SIGKILL');
  }
  expect(await ended).toEqual([null, 'SIGKILL']);
  return left;
}

/** All that left the process is known, and the next voucher covers whatever the node may have taken for it. */
async function expectKnown(left: Left): Promise<void> {
  const wallet = await Wallet.open(walletOptions(folder, { balanceOf: async () => left.deposits }));
  const channel = await wallet.channel(node, modelId, offer);
  const { books } = channel.account;
  expect(books.signed).toBeGreaterThanOrEqual(left.voucher);
  expect(books.charged).toBeGreaterThanOrEqual(left.charged);
  expect(channel.account.inFlight).toBe(0n);
  const paid = await wallet.pay(channel, offer, 1000n);
  expect(channel.account.books.signed).toBeGreaterThanOrEqual(left.voucher);
  expect(channel.account.voucherFor(0n)).toBeGreaterThanOrEqual(left.charged + 1000n);
  // a deposit that never left is made again, one that did is not
  expect(paid.balance).toBeGreaterThanOrEqual(channel.account.voucherFor(0n));
  await wallet.close();
}

describe('a wallet after kill -9', () => {
  // the first append says whose wallet it is, the second opens the channel, the third is a deposit, the fourth its voucher, the fifth an outcome
  for (const at of [3, 4, 8]) {
    for (const step of dieSteps) {
      it(`killed ${step} of append ${at}`, async () => {
        const left = await leftUntilDeath(['0', step, String(at)]);
        expect(left.lines).toBe({ 3: 0, 4: 0, 8: 2 }[at]);
        await expectKnown(left);
      });
    }
  }

  it('killed from outside at arbitrary moments, each time paying on', async () => {
    const all: Left = { voucher: 0n, deposits: 0n, charged: 0n, lines: 0 };
    for (const killAfter of [1, 2, 7, 3, 12]) {
      const left = await leftUntilDeath([String(all.deposits)], killAfter);
      if (left.voucher > all.voucher) all.voucher = left.voucher;
      if (left.charged > all.charged) all.charged = left.charged;
      all.deposits += left.deposits;
      await expectKnown(all);
    }
    expect(all.charged).toBeGreaterThan(700n);
  });
});
