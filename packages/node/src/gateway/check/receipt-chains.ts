import type { Address, Domain } from '@commonweight/protocol';
import type { GatewayStore } from '../store/gateway-store.ts';
import { ReceiptChain } from './receipt-chain.ts';

/** The receipts of every node for one payer. */
export class ReceiptChains {
  readonly #store: GatewayStore;
  readonly #payer: Address;
  readonly #domain: Domain;
  readonly #chains = new Map<Address, ReceiptChain>();

  constructor(store: GatewayStore, payer: Address, domain: Domain) {
    this.#store = store;
    this.#payer = payer;
    this.#domain = domain;
  }

  of(node: Address): ReceiptChain {
    const known = this.#chains.get(node);
    if (known) return known;
    const [payer, domain] = [this.#payer, this.#domain];
    const chain = new ReceiptChain({ node, payer, domain, store: this.#store.chain(node, payer, domain) });
    this.#chains.set(node, chain);
    return chain;
  }
}
