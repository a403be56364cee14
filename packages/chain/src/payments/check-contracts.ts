import { ChainError } from '../errors.ts';
import { type Rpc } from '../rpc.ts';
import { paymentContracts } from './addresses.ts';

/** Throws `wrong_chain` unless there is code at every address that x402 payments rely on. */
export async function checkPaymentContracts(rpc: Rpc): Promise<void> {
  const there = await Promise.all(
    Object.entries(paymentContracts).map(async ([name, address]) => ({ name, address, code: await rpc.hasCode(address) })),
  );
  const missing = there.filter(({ code }) => !code);
  if (missing.length === 0) return;
  throw new ChainError(
    'wrong_chain',
    `chain ${rpc.chain.id} lacks contracts that x402 payments need: ${missing.map(({ name, address }) => `${name} at ${address}`).join(', ')}; use a chain that has them, or take no payments here`,
    { details: { missing: missing.map(({ name }) => name) } },
  );
}
