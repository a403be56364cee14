import { ZERO_ADDRESS } from '@commonweight/protocol';
import { expect, test } from 'vitest';
import { type PriceCaps, priceRefusal, priceRefusals } from './price-rule.ts';

const asset = `0x${'a5'.repeat(20)}` as const;
const other = `0x${'a6'.repeat(20)}` as const;
const modelId = `0x${'11'.repeat(32)}` as const;
const caps: PriceCaps = { maxPromptPrice: '10', maxCompletionPrice: '20', asset };
const registered = { modelId, asset, promptPrice: 10n, completionPrice: 20n };
const asked = { prompt: '10', completion: '20', asset };

test('at most the maximum, at most the registry, in one asset', () => {
  expect(priceRefusal(registered, asked, caps)).toBeUndefined();
  expect(priceRefusal(registered, null, caps)).toBeUndefined();
  expect(priceRefusal(registered, { ...asked, prompt: '0', completion: '0' }, caps)).toBeUndefined();
  expect(priceRefusal(registered, asked, { ...caps, maxPromptPrice: '9' })).toMatchObject({
    code: 'above_maximum',
    message: expect.stringMatching(/prompt.*9.*10/) as string,
  });
  expect(priceRefusal(registered, asked, { ...caps, maxCompletionPrice: '19' })).toMatchObject({ code: 'above_maximum' });
  expect(priceRefusal(registered, asked, { ...caps, asset: other })).toMatchObject({ code: 'asset' });
  expect(priceRefusal(registered, { ...asked, prompt: '11' }, caps)).toMatchObject({ code: 'above_registry' });
  expect(priceRefusal(registered, { ...asked, completion: '21' }, caps)).toMatchObject({ code: 'above_registry' });
  expect(priceRefusal(registered, { ...asked, asset: other }, caps)).toMatchObject({ code: 'above_registry' });
});

test('a free node needs no asset, and every model has its own verdict', () => {
  const free = { modelId, asset: ZERO_ADDRESS, promptPrice: 0n, completionPrice: 0n };
  expect(priceRefusal(free, null, { ...caps, maxPromptPrice: '0', maxCompletionPrice: '0', asset: ZERO_ADDRESS })).toBeUndefined();
  const dear = { ...registered, modelId: `0x${'22'.repeat(32)}` as const, promptPrice: 11n };
  expect([...priceRefusals([registered, dear], null, caps).keys()]).toEqual([dear.modelId]);
});
