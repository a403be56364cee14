import { type Receipt, ZERO_HEX32, fromHex, idsRoot, toHex } from '@commonweight/protocol';
import { describe, expect, test } from 'vitest';
import { STOP_ID, VOCABULARY, honestAnswer, keys, nonce, signReceipt } from '../testing/answer-fixture.ts';
import { type Answered, type Asked, checkAnswer } from './check-answer.ts';
import { type AnswerCheck, ReceiptInvalid } from './receipt-invalid.ts';

const decode = (ids: readonly number[]): string => ids.map((id) => (id === STOP_ID ? '' : `<${id}>`)).join('');

const check = ({ asked, answered }: { asked: Asked; answered: Answered }): readonly number[] =>
  checkAnswer(asked, answered, { streamed: decode(answered.ids), tokens: answered.ids.length, decode });

function refusedBy(run: () => unknown): AnswerCheck {
  try {
    run();
  } catch (error) {
    if (error instanceof ReceiptInvalid) return error.check;
    throw error;
  }
  throw new Error('accepted');
}

/** The node changes its receipt and signs the changed one. */
function lie(change: Partial<Receipt>, honest = honestAnswer()): AnswerCheck {
  const receipt = { ...honest.answered.receipt, ...change };
  return refusedBy(() => check({ asked: honest.asked, answered: { ...honest.answered, receipt, signature: signReceipt(receipt) } }));
}

describe('an honest answer passes', () => {
  test('ended by a stop id', () => expect(check(honestAnswer())).toEqual([10, 11, STOP_ID]));
  test('ended by its length', () =>
    expect(check(honestAnswer({ finishReason: 'length', ids: [10, 11, 12, 13] }))).toEqual([10, 11, 12, 13]));
  test('ended by a stop string while more tokens came', () =>
    expect(check(honestAnswer({ finishReason: 'stop_string', end: 'stop_string', ids: [10, 11], received: [10, 11, 12] }))).toEqual([
      10, 11,
    ]));
  test('cancelled before the first token', () =>
    expect(check(honestAnswer({ finishReason: 'cancelled', end: 'cancelled', ids: [] }))).toEqual([]));
  test('ended by itself before an unconfirmed end arrived', () =>
    expect(check(honestAnswer({ end: 'stop_string', confirmed: false }))).toEqual([10, 11, STOP_ID]));
});

describe('a signed lie is refused by the check it is for', () => {
  const other = `0x${'11'.repeat(20)}` as const;
  const otherHash = `0x${'22'.repeat(32)}` as const;
  test.each<[AnswerCheck, string, Partial<Receipt>]>([
    ['node', 'another node', { node: other }],
    ['payer', 'another payer', { payer: other }],
    ['model', 'another model', { modelId: otherHash }],
    ['request_hash', 'another request', { requestHash: otherHash }],
    ['prompt_tokens', 'more prompt tokens', { promptTokens: 4 }],
    ['completion_tokens', 'more completion tokens', { completionTokens: 4 }],
    ['completion_tokens', 'fewer completion tokens', { completionTokens: 2 }],
    ['finish_reason', 'length although a stop id came', { finishReason: 'length' }],
    ['finish_reason', 'a stop string that nobody ended', { finishReason: 'stop_string' }],
    ['finish_reason', 'a cancellation that nobody sent', { finishReason: 'cancelled' }],
    ['ids_root', 'other ids', { idsRoot: toHex(idsRoot([5, 6, 7, 10, 12, STOP_ID], fromHex(nonce))) }],
    ['thin_root', 'another thin root', { thinRoot: ZERO_HEX32 }],
    ['prices', 'a higher prompt price', { promptPrice: 11n }],
    ['prices', 'a higher completion price', { completionPrice: 21n }],
    ['issued_at', 'a time to come', { issuedAt: 1_700_000_301 }],
    ['asset', 'another asset', { asset: other }],
    ['channel', 'another channel', { channel: otherHash }],
    ['limit', 'a sum above the one agreed to', { cumulativeAmount: 1_000_001n }],
  ])('%s: %s', (expected, _, change) => expect(lie(change)).toBe(expected));

  test('finish_reason: length before the limit', () =>
    expect(refusedBy(() => check(honestAnswer({ finishReason: 'length', ids: [10, 11] })))).toBe('finish_reason'));
  test('finish_reason: stop_id without one', () =>
    expect(refusedBy(() => check(honestAnswer({ finishReason: 'stop_id', ids: [10, 11] })))).toBe('finish_reason'));
  test('finish_reason: tokens after a stop id', () =>
    expect(refusedBy(() => check(honestAnswer({ ids: [10, STOP_ID, STOP_ID] })))).toBe('finish_reason'));
  test('finish_reason: the run went on although the node confirmed the end', () =>
    expect(refusedBy(() => check(honestAnswer({ end: 'stop_string', confirmed: true })))).toBe('finish_reason'));
  test('finish_reason: cancelled where a stop string ended it', () =>
    expect(refusedBy(() => check(honestAnswer({ finishReason: 'cancelled', end: 'stop_string', ids: [10] })))).toBe('finish_reason'));
  test('completion_tokens: counts tokens past the end', () => {
    const honest = honestAnswer({ finishReason: 'stop_string', end: 'stop_string', ids: [10, 11], received: [10, 11, 12] });
    expect(lie({ completionTokens: 3 }, honest)).toBe('completion_tokens');
  });
});

describe('what is not signed is refused as well', () => {
  const honest = honestAnswer();
  test('signature: signed by the operator key, not by the session key', () => {
    const signature = signReceipt(honest.answered.receipt, keys.operator);
    expect(refusedBy(() => check({ ...honest, answered: { ...honest.answered, signature } }))).toBe('signature');
  });
  test('signature: for another chain', () =>
    expect(refusedBy(() => check({ ...honest, asked: { ...honest.asked, domain: { ...honest.asked.domain, chainId: 1 } } }))).toBe(
      'signature',
    ));
  test('ids_root: a token edited in transit', () =>
    expect(refusedBy(() => check({ ...honest, answered: { ...honest.answered, ids: [10, 99, STOP_ID] } }))).toBe('ids_root'));
  test('vocabulary: an id that the model does not have', () =>
    expect(refusedBy(() => check({ ...honest, answered: { ...honest.answered, ids: [10, VOCABULARY, STOP_ID] } }))).toBe('vocabulary'));
  test('digests: one missing', () =>
    expect(refusedBy(() => check({ ...honest, answered: { ...honest.answered, digests: honest.answered.digests.slice(32) } }))).toBe(
      'digests',
    ));
  test('thin_root: a digest changed', () => {
    const digests = honest.answered.digests.slice();
    digests[40]! ^= 1;
    expect(refusedBy(() => check({ ...honest, answered: { ...honest.answered, digests } }))).toBe('thin_root');
  });
  test('text: something else was streamed', () =>
    expect(refusedBy(() => checkAnswer(honest.asked, honest.answered, { streamed: '<10>', tokens: 3, decode }))).toBe('text'));
});
