import { type ChildProcess, type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { CommonweightError, Hex, Hex32 } from '@commonweight/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Ledger } from './ledger.ts';
import { dieSteps } from './testing/die-at.ts';
import { draft, ledgerOptions, payers } from './testing/entries.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'commonweight-kill-'));
});
const children: ChildProcess[] = [];
afterEach(async () => {
  // a failed test must leave no process behind
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await rm(folder, { recursive: true, force: true });
});

interface Printed {
  readonly digest: Hex32;
  readonly payer: string;
  readonly sequence: number;
  readonly signature: Hex;
}

const program = fileURLToPath(new URL('./testing/ledger-child.ts', import.meta.url));

function start(...options: string[]): ChildProcessByStdio<null, Readable, null> {
  const child = spawn(process.execPath, ['--import', 'tsx', program, folder, ...options], { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  return child;
}

/** Everything that the process let out before it died. @param killAfter - lines after which it is killed from outside */
async function printedUntilDeath(options: string[], killAfter?: number): Promise<Printed[]> {
  const child = start(...options);
  const ended = once(child, 'exit');
  const printed: Printed[] = [];
  let opened = false;
  for await (const line of createInterface(child.stdout)) {
    if (line === 'open') opened = true;
    else printed.push(JSON.parse(line) as Printed);
    if (printed.length === killAfter) child.kill('SIGKILL');
  }
  expect(await ended).toEqual([null, 'SIGKILL']);
  expect(opened).toBe(true);
  return printed;
}

/** Every signature that left a process is in the journal, and no (payer, sequence) has two. */
async function expectOneSignatureEach(printed: readonly Printed[]): Promise<Ledger> {
  const { ledger } = await Ledger.open(ledgerOptions(folder));
  const signed = new Map<string, Hex32>();
  for (const { digest, payer, sequence, signature } of printed) {
    const place = `${payer} ${sequence}`;
    // the place is part of the comparison, so that a failure names it
    expect([place, signed.get(place) ?? digest]).toEqual([place, digest]);
    signed.set(place, digest);
    expect((await ledger.find(digest))?.issued).toMatchObject({ signature, receipt: { payer, sequence } });
  }
  return ledger;
}

describe('sign-once after kill -9', () => {
  // appends 1 to 3 are receipts, 4 closes their batch
  for (const at of [2, 4]) {
    for (const step of dieSteps) {
      it(`killed ${step} of append ${at}`, async () => {
        const printed = await printedUntilDeath(['0', step, String(at)]);
        expect(printed).toHaveLength(at === 2 ? 1 : 3);
        const ledger = await expectOneSignatureEach(printed);
        const journalled = ['after-write', 'before-sync', 'after-sync'].includes(step);
        const receipts = printed.length + (journalled && at !== 4 ? 1 : 0);
        expect(ledger.state.receipts).toBe(receipts);
        expect(ledger.state.batches).toHaveLength(at === 4 && journalled ? 2 : 1);

        // the request that was being answered, with another answer: refused if the first one counts, signed once if not
        const n = printed.length;
        const again = ledger.issue(draft(n, { payer: payers[n % 2]!, salt: 9 }));
        const outcome = await again.then(
          ({ receipt }) => receipt.sequence,
          (error: CommonweightError) => error.code,
        );
        expect(outcome).toBe(receipts > n ? 'journal_order' : Math.floor(n / 2));
        await ledger.close();
      });
    }
  }

  it('killed from outside at six arbitrary moments, each time going on with other answers', async () => {
    const printed: Printed[] = [];
    for (const [salt, killAfter] of [1, 2, 5, 3, 11, 7].entries()) {
      printed.push(...(await printedUntilDeath([String(salt)], killAfter)));
      await (await expectOneSignatureEach(printed)).close();
    }
    expect(printed.length).toBeGreaterThanOrEqual(29);
  });

  it('is refused to a second process while the first lives', async () => {
    const child = start('0');
    const ended = once(child, 'exit');
    const lines = createInterface(child.stdout);
    await once(lines, 'line');
    await expect(Ledger.open(ledgerOptions(folder))).rejects.toMatchObject({ code: 'locked', action: 'stop' });
    child.kill('SIGKILL');
    await ended;
    await (await Ledger.open(ledgerOptions(folder))).ledger.close();
  });
});
