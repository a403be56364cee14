import { open } from 'node:fs/promises';
import { writeSync } from 'node:fs';
import { Ledger } from '../ledger.ts';
import { draft, ledgerOptions, payers } from './entries.ts';

/**
 * A process that signs receipts until it is killed, and prints each one the moment it has it: what is printed has left the process.
 * Arguments: folder, salt (makes other answers to the same requests), then optionally the step at which it kills itself and on which append.
 */
const [folder, salt, step, at] = process.argv.slice(2);
const die = (): never => {
  process.kill(process.pid, 'SIGKILL');
  // the signal is on its way; nothing after this line may run
  for (;;);
};

const { ledger } = await Ledger.open(ledgerOptions(folder!));
let appends = 0;
if (step) {
  const probe = await open(process.execPath, 'r');
  const prototype = Object.getPrototypeOf(probe) as { write: (...input: never[]) => Promise<unknown>; datasync: () => Promise<void> };
  await probe.close();
  const { write, datasync } = prototype;
  prototype.write = async function (this: unknown, ...input: never[]) {
    if (++appends === Number(at) && step !== 'before-sync' && step !== 'after-sync') {
      const [data, , length, position] = input as unknown as [Buffer, number, number, number];
      const part = { 'before-write': 0, 'in-header': 7, 'in-payload': length - 9, 'after-write': length }[step]!;
      await write.apply(this, [data, 0, part, position] as never);
      die();
    }
    return write.apply(this, input);
  };
  prototype.datasync = async function (this: unknown) {
    if (appends === Number(at) && step === 'before-sync') die();
    await datasync.apply(this);
    if (appends === Number(at) && step === 'after-sync') die();
  };
}
writeSync(1, 'open\n');
for (let n = ledger.state.receipts; ; n++) {
  const { digest, receipt, signature } = await ledger.issue(draft(n, { payer: payers[n % 2]!, salt: Number(salt) }));
  writeSync(1, `${JSON.stringify({ digest, payer: receipt.payer, sequence: receipt.sequence, signature })}\n`);
  if (n % 3 === 2) await ledger.closeBatch();
}
