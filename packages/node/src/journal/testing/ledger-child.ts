import { writeSync } from 'node:fs';
import { Ledger } from '../ledger.ts';
import { dieAt } from './die-at.ts';
import { draft, ledgerOptions, payers } from './entries.ts';

/**
 * A process that signs receipts until it is killed, and prints each one the moment it has it: what is printed has left the process.
 * Arguments: folder, salt (makes other answers to the same requests), then optionally the step at which it kills itself and on which append.
 */
const [folder, salt, step, at] = process.argv.slice(2);
const { ledger } = await Ledger.open(ledgerOptions(folder!));
if (step) await dieAt(step, Number(at));
writeSync(1, 'open\n');
for (let n = ledger.state.receipts; ; n++) {
  const { digest, receipt, signature } = await ledger.issue(draft(n, { payer: payers[n % 2]!, salt: Number(salt) }));
  writeSync(1, `${JSON.stringify({ digest, payer: receipt.payer, sequence: receipt.sequence, signature })}\n`);
  if (n % 3 === 2) await ledger.closeBatch();
}
