import { writeSync } from 'node:fs';
import process from 'node:process';
import { parsePaymentSignature } from '@commonweight/protocol';
import { dieAt } from '../../../journal/testing/die-at.ts';
import { Wallet } from '../wallet.ts';
import { modelId, node, offer, walletOptions } from './wallet.ts';

/**
 * A process that pays until it is killed, and prints each payment the moment it has it: what is printed has left the process.
 * Arguments: folder, what the chain says is in the channel, then optionally the step at which it kills itself and on which append.
 */
const [folder, balance, step, at] = process.argv.slice(2);
if (step) await dieAt(step, Number(at));
const wallet = await Wallet.open(walletOptions(folder!, { balanceOf: async () => BigInt(balance!) }));
const channel = await wallet.channel(node, modelId, offer);
writeSync(1, 'open\n');
for (let n = 0; ; n++) {
  const paid = await wallet.pay(channel, offer, 1000n);
  const payment = parsePaymentSignature(paid.header);
  if (payment.scheme !== 'batch-settlement') throw new Error('another scheme');
  writeSync(1, `${JSON.stringify({ voucher: String(payment.maxClaimableAmount), deposit: String(payment.deposit?.amount ?? 0) })}\n`);
  wallet.depositArrived(channel);
  if (n % 3 === 0) await wallet.lost(paid);
  else if (n % 3 === 1) await wallet.released(paid);
  else {
    const { charged } = channel.account.books;
    await wallet.charged(paid, 700n, charged + 700n);
    writeSync(1, `${JSON.stringify({ charged: String(charged + 700n) })}\n`);
  }
}
