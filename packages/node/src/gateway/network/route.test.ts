import type { Address } from '@commonweight/protocol';
import { describe, expect, test } from 'vitest';
import { ApiError } from '../api-error.ts';
import type { KnownNode } from './node-directory.ts';
import { route } from './route.ts';

const MODEL = `0x${'aa'.repeat(32)}` as const;
const NOW = 1000;
const id = (n: number): Address => `0x${String(n).padStart(40, '0')}` as Address;
const node = (n: number, fields: Partial<KnownNode> = {}): KnownNode => ({
  node: id(n),
  sessionKey: id(100 + n),
  endpoint: 'http://127.0.0.1:1',
  url: new URL('http://127.0.0.1:1'),
  models: [MODEL],
  bond: 1n,
  health: { status: 'ok' },
  prices: [],
  asked: null,
  priceRefusals: new Map(),
  outstanding: 0,
  refusals: 0,
  avoidUntil: 0,
  failedUntil: 0,
  lastUsed: 0,
  ...fields,
});
const down = { health: { status: 'down', reason: 'x' } } as const;
const names = (nodes: readonly KnownNode[], provider?: Parameters<typeof route>[2]): number[] =>
  route(nodes, MODEL, provider, NOW).map((found) => Number(found.node));

function refused(run: () => unknown): Pick<ApiError, 'status' | 'code' | 'field'> {
  try {
    run();
  } catch (error) {
    if (error instanceof ApiError) return { status: error.status, code: error.code, field: error.field };
    throw error;
  }
  throw new Error('accepted');
}

describe('route', () => {
  test('fewest runs first, a tie goes to the longest unused', () =>
    expect(names([node(1, { outstanding: 2 }), node(2, { lastUsed: 9 }), node(3, { lastUsed: 4 })])).toEqual([3, 2, 1]));
  test('nodes that failed a moment ago come last', () =>
    expect(names([node(1, { failedUntil: NOW + 1 }), node(2, { outstanding: 5 })])).toEqual([2, 1]));
  test('leaves out what is down, refused, without a dialable endpoint or without the model', () => {
    const { url: _, ...hidden } = node(4);
    const nodes = [node(1, down), node(2, { avoidUntil: NOW + 1 }), node(3, { models: [] }), { ...hidden, url: undefined }, node(5)];
    expect(names(nodes)).toEqual([5]);
  });
  test('nobody whose price is refused, not even by name', () => {
    const dear = { priceRefusals: new Map([[MODEL, { code: 'above_maximum', message: 'too dear' }]] as const) };
    expect(names([node(1, dear), node(2)])).toEqual([2]);
    expect(refused(() => names([node(1, dear), node(2)], { only: [id(1)] }))).toMatchObject({ status: 503, code: 'price_refused' });
    expect(refused(() => names([node(1, dear), node(2, down)]))).toMatchObject({ status: 503, code: 'price_refused' });
    expect(refused(() => names([node(1, { ...dear, models: [] }), node(2, down)]))).toMatchObject({ code: 'no_node_available' });
  });
  test('order comes first, the others after it', () =>
    expect(names([node(1), node(2), node(3)], { order: [id(3), id(2)] })).toEqual([3, 2, 1]));
  test('order without fallbacks', () =>
    expect(names([node(1), node(2), node(3)], { order: [id(3)], allow_fallbacks: false })).toEqual([3]));
  test('no fallbacks without an order: one node', () => expect(names([node(1), node(2)], { allow_fallbacks: false })).toHaveLength(1));
  test('only asks a node even when it is down or was refused', () =>
    expect(names([node(1, down), node(2, { avoidUntil: NOW + 1 }), node(3)], { only: [id(1), id(2)] })).toEqual([1, 2]));
  test('ignore', () => expect(names([node(1), node(2)], { ignore: [id(1)] })).toEqual([2]));

  test('an unknown node in only or order', () => {
    expect(refused(() => names([node(1)], { only: [id(1), id(9)] }))).toEqual({
      status: 404,
      code: 'node_not_found',
      field: 'provider.only[1]',
    });
    expect(refused(() => names([node(1)], { order: [id(9)] }))).toMatchObject({ status: 404, field: 'provider.order[0]' });
  });
  test('a node that does not serve the model', () =>
    expect(refused(() => names([node(1, { models: [] })], { only: [id(1)] }))).toEqual({
      status: 400,
      code: 'model_not_served',
      field: 'provider.only[0]',
    }));
  test('nobody left', () => expect(refused(() => names([node(1, down)]))).toMatchObject({ status: 503, code: 'no_node_available' }));
});
