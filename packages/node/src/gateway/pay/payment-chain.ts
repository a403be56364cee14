import type { Address, Hex32 } from '@commonweight/protocol';
import type { PaymentChain } from './run-price.ts';

/** Asks for each splitter once: its address never changes. */
export function paymentChain(chain: Pick<PaymentChain, 'splitterOf' | 'balanceOf'>, chainId: number): PaymentChain {
  const splitters = new Map<string, Promise<Address>>();
  return {
    chainId,
    balanceOf: (channel) => chain.balanceOf(channel),
    splitterOf: (node: Address, modelId: Hex32) => {
      const key = `${node} ${modelId}`;
      const known = splitters.get(key);
      if (known) return known;
      const asked = chain.splitterOf(node, modelId);
      splitters.set(key, asked);
      // an answer that did not come is no answer
      asked.catch(() => splitters.delete(key));
      return asked;
    },
  };
}
