import { expect, test } from 'vitest';
import { paymentLimits } from '../limits.ts';
import { systemClock } from '../platform/clock.ts';
import { Escrows } from './escrows.ts';
import type { Escrow } from './rail.ts';
import { hash } from './testing/reservations.ts';

test('so many channels are asked for at once; one more is refused and nothing else', async () => {
  const empty: Escrow = { balance: 0n, totalClaimed: 0n, withdrawRequestedAt: 0, refundNonce: 0n };
  const answers: ((escrow: Escrow) => void)[] = [];
  const escrows = new Escrows({ escrow: () => new Promise((resolve) => answers.push(resolve)) }, systemClock);
  const any = (): boolean => true;
  const asked = Array.from({ length: paymentLimits.escrowQuestions }, (_, n) => escrows.get(hash(n), any));
  await expect(escrows.get(hash(1000), any)).rejects.toMatchObject({ code: 'busy', action: 'retry' });
  // one that is asked for already is not asked twice
  const again = escrows.get(hash(0), any);
  for (const answer of answers) answer(empty);
  await Promise.all([...asked, again]);
  void escrows.get(hash(1000), any);
  expect(answers).toHaveLength(paymentLimits.escrowQuestions + 1);
});
