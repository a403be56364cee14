import { type Address } from '@commonweight/protocol';
import type { PaymentPayload, PaymentRequirements, SettleResponse, SupportedResponse, VerifyResponse } from '@x402/core/types';
import { AsyncLocalStorage } from 'node:async_hooks';
import { lower } from '../lower.ts';
import { type Submitter } from '../submitter.ts';
import { checkPaymentContracts } from './check-contracts.ts';
import { type Settlement, findSettlement } from './find-settlement.ts';
import { settleFinally } from './settle-finally.ts';
import { type Trouble, facilitatorSigner } from './signer.ts';

export interface FacilitatorOptions {
  /** Sends, pays the gas, and is named by payers of `upto`. */
  readonly submitter: Submitter;
  /** Tokens that are taken. Payments in another are refused. */
  readonly assets: readonly Address[];
  /** Blocks until a payment counts, its own included; default 1. */
  readonly depth?: number;
}

/** Verifies and settles x402 payments of one chain, in this process. Fits where `@x402/core/server` wants a facilitator client. */
export interface Facilitator {
  /** CAIP-2 name of the chain. */
  readonly network: `eip155:${number}`;
  readonly address: Address;
  /** Whether a payment would go through: signatures, balances and a simulation. Nothing is sent. Throws a ChainError when the chain could not be asked: that says nothing about the payment. */
  verify(payload: PaymentPayload, requirements: PaymentRequirements): Promise<VerifyResponse>;
  /** Settles, and comes back when the transaction is mined. Settlements of different payments run beside each other. Throws a ChainError as `verify` does, or when the outcome is open. */
  settle(payload: PaymentPayload, requirements: PaymentRequirements): Promise<SettleResponse>;
  /** The transfer that this payment caused, whoever sent it; undefined when there is none in the chain as it is now. @param since - block before which there was none */
  find(payload: PaymentPayload, requirements: PaymentRequirements, since?: bigint): Promise<Settlement | undefined>;
  /**
   * Settles until the payment counts: its transfer lies `depth` blocks deep. Goes on after reorganisations, lost transactions and silence of the node; may be called again
   * with the same payment, after a crash too, and pays once. Undefined when the payment moves nothing (`upto` of 0). Throws `payment_refused` when it cannot be settled.
   */
  settleFinally(
    payload: PaymentPayload,
    requirements: PaymentRequirements,
    options?: { readonly signal?: AbortSignal; readonly since?: bigint | undefined },
  ): Promise<Settlement | undefined>;
  getSupported(): Promise<SupportedResponse>;
}

/**
 * A facilitator for the schemes `exact`, `upto` and `batch-settlement`. Throws `wrong_chain` when the chain lacks a contract that they need.
 * Wallets that a payment would first have to deploy (ERC-6492) are not supported: the facilitator calls no factories.
 */
export async function startFacilitator({ submitter, assets, depth = 1 }: FacilitatorOptions): Promise<Facilitator> {
  const { rpc, account } = submitter;
  await checkPaymentContracts(rpc);
  const { BatchSettlementEvmScheme, ExactEvmScheme, UptoEvmScheme, x402Facilitator } = await import('../x402.ts');
  const troubles = new AsyncLocalStorage<Trouble>();
  const signer = facilitatorSigner(submitter, new Set(assets.map(lower)), () => troubles.getStore());
  const network = `eip155:${rpc.chain.id}` as const;
  const library = new x402Facilitator()
    .register(network, new ExactEvmScheme(signer))
    .register(network, new UptoEvmScheme(signer))
    .register(network, new BatchSettlementEvmScheme(signer));
  const tried = async <T>(run: () => Promise<T>): Promise<{ answer: T; trouble: Trouble }> => {
    const trouble: Trouble = {};
    return { answer: await troubles.run(trouble, run), trouble };
  };
  const settle = async (
    payload: PaymentPayload,
    requirements: PaymentRequirements,
  ): Promise<{ answer: SettleResponse; trouble: Trouble }> => {
    const { answer, trouble } = await tried(() => library.settle(payload, requirements));
    if (!answer.success && trouble.error?.retryable === true) throw trouble.error;
    return { answer, trouble };
  };
  const find: Facilitator['find'] = (payload, requirements, since) => findSettlement(rpc, payload, requirements, since);
  return {
    network,
    address: account.address,
    verify: async (payload, requirements) => {
      const { answer, trouble } = await tried(() => library.verify(payload, requirements));
      // the library makes every error a verdict about the payment: what says nothing about it is thrown instead
      if ((!answer.isValid || trouble.blind === true) && trouble.error?.retryable === true) throw trouble.error;
      return answer;
    },
    settle: async (payload, requirements) => (await settle(payload, requirements)).answer,
    find,
    settleFinally: (payload, requirements, { signal, since } = {}) =>
      settleFinally({ find: (...payment) => find(...payment, since), settle, rpc, depth, signal }, payload, requirements),
    getSupported: async () => library.getSupported() as SupportedResponse,
  };
}
