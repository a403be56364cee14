import { type Address } from '@commonweight/protocol';
import { ChainError } from '../errors.ts';
import { type GenesisAllocation } from './genesis.ts';

/** The allocation as the token takes it; throws `bad_genesis` while a holder has no address. */
export function requireHolders({ holders }: GenesisAllocation): { readonly holder: Address; readonly amount: bigint }[] {
  const unnamed = holders.filter(({ holder }) => holder === undefined).map(({ name }) => name);
  if (unnamed.length > 0 || holders.length === 0)
    throw new ChainError(
      'bad_genesis',
      `the genesis allocation names no address for ${unnamed.join(', ') || 'anybody'}: votes of nobody cannot be given back, so fill in allocation.json first`,
    );
  return holders.map(({ holder, amount }) => ({ holder: holder!, amount }));
}
