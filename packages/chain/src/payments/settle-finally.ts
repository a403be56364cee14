import type { PaymentPayload, PaymentRequirements, SettleResponse } from '@x402/core/types';
import { setTimeout as pause } from 'node:timers/promises';
import { confirmed } from '../confirmations.ts';
import { ChainError } from '../errors.ts';
import { limits } from '../limits.ts';
import { type Rpc } from '../rpc.ts';
import { type Hex } from '../viem.ts';
import { type Settlement } from './find-settlement.ts';
import { type Trouble } from './signer.ts';

interface Context {
  readonly find: (payload: PaymentPayload, requirements: PaymentRequirements) => Promise<Settlement | undefined>;
  readonly settle: (payload: PaymentPayload, requirements: PaymentRequirements) => Promise<{ answer: SettleResponse; trouble: Trouble }>;
  readonly rpc: Rpc;
  readonly depth: number;
  readonly signal: AbortSignal | undefined;
}

/**
 * Looks first, settles when there is nothing to be found, waits for the depth, and starts again when a reorganisation took it away. That it pays once is the chain's doing,
 * not ours: the token, Permit2 or the escrow takes each signature once.
 */
export async function settleFinally(
  context: Context,
  payload: PaymentPayload,
  requirements: PaymentRequirements,
): Promise<Settlement | undefined> {
  const deadline = performance.now() + limits.settleFinally;
  let reverts = 0;
  do {
    context.signal?.throwIfAborted();
    try {
      const settlement = await once(context, payload, requirements);
      if (settlement !== 'again') return settlement;
    } catch (error) {
      const reverted = error instanceof ChainError && error.code === 'chain_reverted' && ++reverts <= limits.settleReverts;
      if (!(error instanceof ChainError) || !(error.retryable || reverted) || performance.now() >= deadline) throw error;
      await pause(limits.settleRetry, undefined, { signal: context.signal });
    }
  } while (performance.now() < deadline);
  throw new ChainError('chain_timeout', `a payment did not settle for good within ${limits.settleFinally} ms`);
}

/** @returns `again` when the chain changed under it, undefined when the payment moves nothing */
async function once(
  context: Context,
  payload: PaymentPayload,
  requirements: PaymentRequirements,
): Promise<Settlement | 'again' | undefined> {
  const found = await context.find(payload, requirements);
  const settlement = found ?? (await settle(context, payload, requirements));
  if (settlement === 'again' || settlement === undefined) return settlement;
  const inclusion = await confirmed(context.rpc, settlement, context);
  return inclusion ? { amount: settlement.amount, ...inclusion } : 'again';
}

async function settle(
  context: Context,
  payload: PaymentPayload,
  requirements: PaymentRequirements,
): Promise<Pick<Settlement, 'hash' | 'amount'> | 'again' | undefined> {
  const { answer, trouble } = await context.settle(payload, requirements);
  const { success, transaction, amount, errorReason, errorMessage } = answer;
  if (success) return transaction === '' ? undefined : { hash: transaction as Hex, amount: BigInt(amount || requirements.amount) };
  // refused because it was settled between the two looks
  if ((await context.find(payload, requirements)) !== undefined) return 'again';
  // mined and reverted: what the simulation saw has changed; the next try looks anew
  if (trouble.error?.details['hash'] !== undefined) throw trouble.error;
  throw new ChainError(
    'payment_refused',
    `the payment cannot be settled: ${errorReason ?? 'no reason given'} ${errorMessage ?? ''}`.trim(),
    {
      details: { reason: errorReason },
    },
  );
}
