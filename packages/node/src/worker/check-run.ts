import {
  type Address,
  type CanonicalRequest,
  CommonweightError,
  type Domain,
  type Hex32,
  IdsCommitment,
  type Manifest,
  type ModelId,
  type RunRequest,
  ZERO_HEX32,
  fromHex,
  isSignedBy,
  requestDigest,
  requestHashOf,
  toHex,
} from '@commonweight/protocol';
import { nativeSha256 } from '../platform/sha256.ts';

/** What a node asks: per million tokens, in the asset's smallest unit. */
export interface Prices {
  readonly promptPrice: bigint;
  readonly completionPrice: bigint;
  readonly asset: Address;
}

/** What a node sells, and under which name. */
export interface Offer extends Prices {
  readonly node: Address;
  readonly domain: Domain;
  /** Lower prices that a request may still name: those that the node asked until a moment ago (docs/decisions/0028). */
  readonly earlierPrices?: (modelId: ModelId) => Prices | undefined;
  readonly manifestOf: (modelId: ModelId) => Manifest | undefined;
}

const isEnough = (request: CanonicalRequest, { promptPrice, completionPrice }: Prices): boolean =>
  BigInt(request.promptPrice) >= promptPrice && BigInt(request.completionPrice) >= completionPrice;

/** Prices of an accepted request: what the node asks, and never more than what was signed. */
export const chargedPrices = (
  request: Pick<CanonicalRequest, 'promptPrice' | 'completionPrice'>,
  offer: Pick<Prices, 'promptPrice' | 'completionPrice'>,
): Pick<Prices, 'promptPrice' | 'completionPrice'> => {
  const least = (a: bigint, b: bigint): bigint => (a < b ? a : b);
  return {
    promptPrice: least(offer.promptPrice, BigInt(request.promptPrice)),
    completionPrice: least(offer.completionPrice, BigInt(request.completionPrice)),
  };
};

const refuse = (code: string, field: string, message: string): CommonweightError =>
  new CommonweightError(`${field}: ${message}`, { code, field });

/**
 * Everything that must hold before a node works for a payer without a payment, cheapest check first. Returns the request hash.
 * @throws CommonweightError that names the field and what was expected.
 */
export function checkRun(input: RunRequest, offer: Offer): Hex32 {
  checkAsked(input, offer);
  const { request } = input;
  if (request.asset !== offer.asset)
    throw refuse('wrong_asset', 'request.asset', `this node is paid in ${offer.asset}, the request offers ${request.asset}`);
  if (request.channel !== ZERO_HEX32)
    throw refuse('unknown_channel', 'request.channel', 'a run without a payment has no channel; expected the zero hash');
  return checkSigned(input, offer);
}

/** Whether this node can do what is asked at the prices that are named. Says nothing about who asks. */
export function checkAsked({ request, promptIds }: RunRequest, offer: Offer): void {
  if (request.node !== offer.node)
    throw refuse('wrong_node', 'request.node', `this is node ${offer.node}, the request names ${request.node}`);
  const manifest = offer.manifestOf(request.modelId);
  if (!manifest) throw refuse('model_not_served', 'request.modelId', `this node does not serve ${request.modelId}`);
  const earlier = offer.earlierPrices?.(request.modelId);
  if (!(earlier?.asset === offer.asset && isEnough(request, earlier))) {
    for (const price of ['promptPrice', 'completionPrice'] as const) {
      if (BigInt(request[price]) < offer[price]) {
        throw refuse(
          'price_too_low',
          `request.${price}`,
          `this node asks ${offer[price]} per million tokens, the request allows ${request[price]}; sign a new one with the prices of the registry`,
        );
      }
    }
  }

  const { vocabulary, context } = manifest.graph;
  if (promptIds.length !== request.promptTokens) {
    throw refuse('prompt_mismatch', 'request.promptTokens', `the request is for ${request.promptTokens} ids, ${promptIds.length} came`);
  }
  if (promptIds.length + request.maxTokens > context) {
    throw refuse(
      'context_exceeded',
      'request.maxTokens',
      `${promptIds.length} prompt ids and ${request.maxTokens} tokens exceed the model's context of ${context}`,
    );
  }
  const strange = promptIds.findIndex((id) => id >= vocabulary);
  if (strange >= 0) throw refuse('id_out_of_range', `promptIds[${strange}]`, `the model has ids 0 to ${vocabulary - 1}`);
  const strangeStop = request.stopIds.findIndex((id) => id >= vocabulary);
  if (strangeStop >= 0) throw refuse('id_out_of_range', `request.stopIds[${strangeStop}]`, `the model has ids 0 to ${vocabulary - 1}`);

  const strangeBias = request.sampler.logitBias.findIndex(([id]) => id >= vocabulary);
  if (strangeBias >= 0) {
    throw refuse('id_out_of_range', `request.sampler.logitBias[${strangeBias}]`, `the model has ids 0 to ${vocabulary - 1}`);
  }
}

/** Whether the payer signed this request, and these ids are its prompt. Returns the request hash. */
export function checkSigned({ request, signature, promptIds, nonce }: RunRequest, offer: Offer): Hex32 {
  const requestHash = requestHashOf(request);
  if (!isSignedBy(requestDigest(request, offer.domain), signature, request.payer)) {
    throw refuse('bad_signature', 'signature', `expected the payer's signature over the request's digest on chain ${offer.domain.chainId}`);
  }
  const root = toHex(new IdsCommitment(fromHex(nonce, 32), promptIds, nativeSha256).root());
  if (root !== request.promptRoot) throw refuse('prompt_mismatch', 'request.promptRoot', 'the ids with this nonce have another root');
  return requestHash;
}
