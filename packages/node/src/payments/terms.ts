import { type Address, type Hex32, type PaymentOffer, type PaymentRequired, networkOf } from '@commonweight/protocol';
import { paymentLimits } from '../limits.ts';

/** How a node is paid: what stands in every one of its offers. */
export interface PaymentTerms {
  readonly chainId: number;
  readonly asset: {
    readonly address: Address;
    /** Of the asset's EIP-712 domain. */
    readonly name: string;
    readonly version: string;
  };
  /** The only sender that may settle an `upto` payment. */
  readonly facilitator: Address;
  /** Claims from channels: the operator, whose key is the node's for ever. */
  readonly authorizer: Address;
  readonly withdrawDelay: number;
  /** Under which gateways ask. */
  readonly url: string;
  /** The splitter of this node and a model that it serves. */
  readonly payTo: (modelId: Hex32) => Address;
}

/**
 * The ways to pay for one run that can cost `maximum` (SPEC section 25.1).
 * @param quote - a name for this quote: clients give it back with every payment that answers it
 */
export function makeOffers(terms: PaymentTerms, modelId: Hex32, maximum: bigint, quote?: string): PaymentOffer[] {
  const { chainId, asset, facilitator, authorizer, withdrawDelay } = terms;
  const domain = { name: asset.name, version: asset.version };
  const offer = (scheme: PaymentOffer['scheme'], extra: PaymentOffer['extra']): PaymentOffer => ({
    scheme,
    network: networkOf(chainId),
    amount: String(maximum),
    asset: asset.address,
    payTo: terms.payTo(modelId),
    maxTimeoutSeconds: paymentLimits.authorizationSeconds,
    extra: { ...domain, ...extra },
  });
  return [
    offer('batch-settlement', { receiverAuthorizer: authorizer, withdrawDelay, ...(quote !== undefined && { quote }) }),
    offer('upto', { assetTransferMethod: 'permit2', facilitatorAddress: facilitator }),
    offer('exact', {}),
  ];
}

export const makeRequired = ({ url }: PaymentTerms, accepts: readonly PaymentOffer[], error: string): PaymentRequired => ({
  x402Version: 2,
  error,
  resource: { url: `${url}/v1/run`, mimeType: 'application/x-ndjson' },
  accepts,
});
