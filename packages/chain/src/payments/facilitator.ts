import { type Address } from '@commonweight/protocol';
import type { PaymentPayload, PaymentRequirements, SettleResponse, SupportedResponse, VerifyResponse } from '@x402/core/types';
import { lower } from '../lower.ts';
import { type Submitter } from '../submitter.ts';
import { checkPaymentContracts } from './check-contracts.ts';
import { facilitatorSigner } from './signer.ts';

export interface FacilitatorOptions {
  /** Sends, pays the gas, and is named by payers of `upto`. */
  readonly submitter: Submitter;
  /** Tokens that are taken. Payments in another are refused. */
  readonly assets: readonly Address[];
}

/** Verifies and settles x402 payments of one chain, in this process. Fits where `@x402/core/server` wants a facilitator client. */
export interface Facilitator {
  /** CAIP-2 name of the chain. */
  readonly network: `eip155:${number}`;
  readonly address: Address;
  /** Whether a payment would go through: signatures, balances and a simulation. Nothing is sent. */
  verify(payload: PaymentPayload, requirements: PaymentRequirements): Promise<VerifyResponse>;
  /** Settles, and comes back when the transaction is mined. Settlements of different payments run beside each other. */
  settle(payload: PaymentPayload, requirements: PaymentRequirements): Promise<SettleResponse>;
  getSupported(): Promise<SupportedResponse>;
}

/**
 * A facilitator for the schemes `exact`, `upto` and `batch-settlement`. Throws `wrong_chain` when the chain lacks a contract that they need.
 * Wallets that a payment would first have to deploy (ERC-6492) are not supported: the facilitator calls no factories.
 */
export async function startFacilitator({ submitter, assets }: FacilitatorOptions): Promise<Facilitator> {
  const { rpc, account } = submitter;
  await checkPaymentContracts(rpc);
  const { BatchSettlementEvmScheme, ExactEvmScheme, UptoEvmScheme, x402Facilitator } = await import('../x402.ts');
  const signer = facilitatorSigner(submitter, new Set(assets.map(lower)));
  const network = `eip155:${rpc.chain.id}` as const;
  const facilitator = new x402Facilitator()
    .register(network, new ExactEvmScheme(signer))
    .register(network, new UptoEvmScheme(signer))
    .register(network, new BatchSettlementEvmScheme(signer));
  return {
    network,
    address: account.address,
    verify: (payload, requirements) => facilitator.verify(payload, requirements),
    settle: (payload, requirements) => facilitator.settle(payload, requirements),
    getSupported: async () => facilitator.getSupported() as SupportedResponse,
  };
}
