import { buildTinyModel } from '@commonweight/engine/testing';
import {
  type Address,
  type CanonicalRequest,
  type Hex32,
  type RunRequest,
  modelIdOf,
  parseRunRequest,
  requestHashOf,
} from '@commonweight/protocol';
import { describe, expect, it } from 'vitest';
import { type Offer, type Prices, chargedPrices, checkRun } from './check-run.ts';
import { ask, payerKey } from './testing/payer.ts';

const address = (byte: string): Address => `0x${byte.repeat(20)}` as Address;
const { manifest } = buildTinyModel({ context: 16 });
const modelId = modelIdOf(manifest);
const domain = { chainId: 31_337, verifyingContract: address('c0') };
const node = address('0a');
const offer: Offer = {
  node,
  domain,
  promptPrice: 3n,
  completionPrice: 10n,
  asset: address('ee'),
  manifestOf: (id) => (id === modelId ? manifest : undefined),
};
const good = { asset: offer.asset, promptPrice: '3', completionPrice: '11' };
const request = (change: Partial<CanonicalRequest> = {}, promptIds?: number[]): RunRequest =>
  ask({ domain, node, modelId, change: { ...good, ...change }, ...(promptIds && { promptIds }) });

describe('what a node checks before it works', () => {
  it('accepts a signed request that holds, also at a higher price cap and at the whole context', () => {
    expect(checkRun(request(), offer)).toBe(requestHashOf(request().request));
    expect(() => checkRun(request({ maxTokens: 12 }), offer)).not.toThrow();
  });

  it('honours the prices that it asked until a moment ago, together and in the same asset, and charges no more than was signed', () => {
    const earlier = { promptPrice: 2n, completionPrice: 12n, asset: offer.asset };
    const raised = (prices: Prices): Offer => ({ ...offer, earlierPrices: (id) => (id === modelId ? prices : undefined) });
    const signed = request({ promptPrice: '2', completionPrice: '12' });
    expect(() => checkRun(signed, offer)).toThrow(/asks 3 per million/);
    expect(() => checkRun(signed, raised(earlier))).not.toThrow();
    expect(chargedPrices(signed.request, offer)).toEqual({ promptPrice: 2n, completionPrice: 10n });
    expect(() => checkRun(signed, raised({ ...earlier, asset: address('ef') }))).toThrow(/asks 3 per million/);
    expect(() => checkRun(request({ promptPrice: '2', completionPrice: '11' }), raised(earlier))).toThrow(/request.promptPrice/);
    expect(() => checkRun(request({ promptPrice: '3', completionPrice: '10' }), raised(earlier))).not.toThrow();
  });

  const other = `0x${'bb'.repeat(32)}` as Hex32;
  const tampered = (change: Partial<CanonicalRequest>): RunRequest => ({ ...request(), request: { ...request().request, ...change } });
  const cases: [name: string, run: RunRequest, code: string, field: string][] = [
    ['a request for another node', request({ node: address('0b') }), 'wrong_node', 'request.node'],
    ['a model that is not served', request({ modelId: other }), 'model_not_served', 'request.modelId'],
    ['another asset', request({ asset: address('00') }), 'wrong_asset', 'request.asset'],
    ['a payment channel', request({ channel: other }), 'unknown_channel', 'request.channel'],
    ['a lower prompt price', request({ promptPrice: '2' }), 'price_too_low', 'request.promptPrice'],
    ['a lower completion price', request({ completionPrice: '9' }), 'price_too_low', 'request.completionPrice'],
    ['a wrong count of ids', request({ promptTokens: 5 }), 'prompt_mismatch', 'request.promptTokens'],
    ['more than the context', request({ maxTokens: 13 }), 'context_exceeded', 'request.maxTokens'],
    ['an id outside the vocabulary', request({}, [1, 96]), 'id_out_of_range', 'promptIds[1]'],
    ['a stop id outside the vocabulary', request({ stopIds: [2, 96] }), 'id_out_of_range', 'request.stopIds[1]'],
    ['another root', request({ promptRoot: other }), 'prompt_mismatch', 'request.promptRoot'],
    ['other ids', { ...request(), promptIds: [1, 5, 9, 14] }, 'prompt_mismatch', 'request.promptRoot'],
    ['another nonce', { ...request(), nonce: other }, 'prompt_mismatch', 'request.promptRoot'],
    ['a field changed after signing', tampered({ maxTokens: 9 }), 'bad_signature', 'signature'],
    ['another payer’s name', tampered({ payer: address('0c') }), 'bad_signature', 'signature'],
    [
      'a signature for another chain',
      ask({ domain: { ...domain, chainId: 1 }, node, modelId, change: good }),
      'bad_signature',
      'signature',
    ],
    [
      'a signature with a key that is not the payer’s',
      { ...request(), signature: ask({ domain, node, modelId, key: other, change: good }).signature },
      'bad_signature',
      'signature',
    ],
    ['a signature that is none', { ...request(), signature: `0x${'00'.repeat(65)}` }, 'bad_signature', 'signature'],
  ];
  for (const [name, run, code, field] of cases) {
    it(`refuses ${name}`, () => {
      expect(payerKey).not.toBe(other);
      // every one of them has the shape of a request: it is the check that refuses
      expect(parseRunRequest(JSON.parse(JSON.stringify(run)))).toEqual(run);
      let thrown: unknown;
      try {
        checkRun(run, offer);
      } catch (error) {
        thrown = error;
      }
      expect(thrown).toMatchObject({ code, field, retryable: false });
    });
  }
});
