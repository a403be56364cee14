import type { ModelPrice } from '@commonweight/chain';
import { type Address, type ModelId, ZERO_ADDRESS } from '@commonweight/protocol';
import type { NodePrices } from './node-directory.ts';

/** What this gateway's payer agrees to at most, per million tokens. */
export interface PriceCaps {
  readonly maxPromptPrice: string;
  readonly maxCompletionPrice: string;
  /** The asset that he pays in; zero: none, so free service only. */
  readonly asset: Address;
}

/** Why a node is not asked for a model: an error code, and what was expected and what came. */
export interface PriceRefusal {
  readonly code: 'asset' | 'above_maximum' | 'above_registry';
  readonly message: string;
}

/**
 * A node may ask what it registered, and a payer pays at most what his configuration says. What a node says about itself (`asked`) must not
 * exceed the registry: a client that trusted it would sign more than anybody can look up.
 */
export function priceRefusal(registered: ModelPrice, asked: NodePrices | null, caps: PriceCaps): PriceRefusal | undefined {
  const { asset } = registered;
  const refuse = (code: PriceRefusal['code'], message: string): PriceRefusal => ({ code, message });
  if (asset !== ZERO_ADDRESS && asset !== caps.asset)
    return refuse('asset', `expected prices in ${caps.asset}, the node is paid in ${asset}`);
  for (const [name, price, cap] of [
    ['prompt', registered.promptPrice, BigInt(caps.maxPromptPrice)],
    ['completion', registered.completionPrice, BigInt(caps.maxCompletionPrice)],
  ] as const) {
    if (price > cap)
      return refuse('above_maximum', `expected a ${name} price of at most ${cap} per million tokens, the node registered ${price}`);
  }
  if (asked === null) return undefined;
  for (const [name, price, bound] of [
    ['prompt', BigInt(asked.prompt), registered.promptPrice],
    ['completion', BigInt(asked.completion), registered.completionPrice],
  ] as const) {
    if (price > bound) return refuse('above_registry', `expected the registered ${name} price of ${bound} at most, the node asks ${price}`);
  }
  if (asked.asset !== asset)
    return refuse('above_registry', `expected prices in the registered asset ${asset}, the node asks for ${asked.asset}`);
  return undefined;
}

/** Refusals of one node by model, of those that it serves. */
export const priceRefusals = (
  registered: readonly ModelPrice[],
  asked: NodePrices | null,
  caps: PriceCaps,
): ReadonlyMap<ModelId, PriceRefusal> =>
  new Map(
    registered.flatMap((price) => {
      const refusal = priceRefusal(price, asked, caps);
      return refusal ? [[price.modelId, refusal] as const] : [];
    }),
  );
