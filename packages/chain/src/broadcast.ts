import { ChainError } from './errors.ts';
import { type Rpc } from './rpc.ts';
import { type Hex } from './viem.ts';

/**
 * What became of a signed transaction at the node: `sent`, `known` (it has these very bytes already), `unknown` (no answer: it may have arrived), `nonce_used` (its nonce is in a block),
 * `underpriced` (another transaction with its nonce waits and offers as much), `too_cheap` (the next block's base fee is higher than what it offers).
 */
export type Broadcast = 'sent' | 'known' | 'unknown' | 'nonce_used' | 'underpriced' | 'too_cheap';

const answers: readonly (readonly [RegExp, Broadcast])[] = [
  [/already (?:imported|known)|known transaction/i, 'known'],
  [/nonce too low|nonce is lower|lower than the current nonce/i, 'nonce_used'],
  [/less than block base fee/i, 'too_cheap'],
  [/underpriced/i, 'underpriced'],
];

/** Hands a signed transaction to the node. Throws what the node says against the transaction itself (no funds, wrong chain). */
export async function broadcast(rpc: Rpc, serializedTransaction: Hex): Promise<Broadcast> {
  try {
    await rpc.call({ what: 'send transaction' }, (client) => client.sendRawTransaction({ serializedTransaction }));
    return 'sent';
  } catch (error) {
    if (!(error instanceof ChainError)) throw error;
    if (error.code === 'chain_unreachable') return 'unknown';
    const known = error.code === 'chain_rpc' ? answers.find(([words]) => words.test(error.message)) : undefined;
    if (known === undefined) throw error;
    return known[1];
  }
}
