import { tokenVocabulary } from '@commonweight/engine';
import { samplerSettings, utf8 } from '@commonweight/protocol';
import { describe, expect, it } from 'vitest';
import { replay } from './replay.ts';
import { decode, makeBundle } from './testing/make-bundle.ts';
import { decodeText, executor, job as base, manifest, model as bare } from './testing/tiny.ts';
import { verifyBundle } from './verify-bundle.ts';

const STOP = 95;
/** Id 0 is `a`; the stop id has no text. */
const vocabulary = tokenVocabulary(manifest.graph.vocabulary, (id) => utf8(id === STOP ? '' : decodeText([id])));
const model = { ...bare, vocabulary: () => vocabulary };
/** Pairs of letters, then a full stop of `z`. */
const sampler = samplerSettings({ temperature: 2_000_000, grammar: { rules: [[[1, 0], ['=z']], [['~616d', '~6e79']]] } });
const job = { ...base, sampler, stopIds: [STOP], vocabulary };
const run = decode(executor, job);
const finishReason = run.completionIds.at(-1) === STOP ? 'stop_id' : 'length';

describe('an answer under a grammar', () => {
  it('is verified, and the report says by what and what no contract decides', () => {
    const text = decodeText(run.completionIds.filter((id) => id !== STOP));
    expect(text).toMatch(/^(?:[a-m][n-y])*(?:z|[a-m])?$/);
    const bundle = makeBundle({ manifest, job, ...run, finishReason });
    const report = verifyBundle({ bundle, model });
    expect(report.verdict).toBe('verified');
    expect(report.steps.find(({ id }) => id === 'tokens')!.detail).toMatch(/\(a grammar of 2 rules, temperature 2, seed/);
    expect(report.trust.join()).toMatch(/decided by replay alone/);
    expect(replay({ bundle, model }).ids).toEqual(run.completionIds);
  });

  it('is not checked without the tokenizer', () => {
    const report = verifyBundle({ bundle: makeBundle({ manifest, job, ...run, finishReason }), model: bare });
    expect(report.verdict).toBe('unchecked');
    expect(report.notChecked.join()).toMatch(/made under a grammar/);
  });

  it('is refuted, not thrown over, where the claim leads into a branch that is too ambiguous to follow', () => {
    // 300 times 2,000 ways to read what comes after bb; the honest answer is a
    const grammar = {
      rules: [
        [['=a'], ['=bb', 1]],
        Array.from({ length: 300 }, (_, i) => [2, `=${String.fromCodePoint(0x100 + i)}`]),
        Array.from({ length: 2000 }, (_, i) => [`=${i}`]),
      ],
    };
    const costly = { ...job, sampler: samplerSettings({ grammar, logitBias: [[0, 8_000_000]] }) };
    const honest = decode(executor, costly);
    expect(honest.completionIds).toEqual([0, STOP]);
    expect(verifyBundle({ bundle: makeBundle({ manifest, job: costly, ...honest, finishReason: 'stop_id' }), model }).verdict).toBe(
      'verified',
    );
    const claim = decode(executor, { ...job, sampler: samplerSettings({ grammar: { rules: [[[`=${'b'.repeat(99)}`]]] } }) });
    expect(claim.completionIds.slice(0, 3)).toEqual([1, 1, 1]);
    const report = verifyBundle({ bundle: makeBundle({ manifest, job: costly, ...claim, finishReason: 'length' }), model });
    expect(report.verdict).toBe('refuted');
    expect(report.tokenDifference).toMatchObject({ index: 0, claimed: 1, sampled: 0 });
  });

  it('is refuted where it was made without the mask, or with another one', () => {
    const free = decode(executor, { ...job, sampler: { ...sampler, grammar: null } });
    const unmasked = verifyBundle({ bundle: makeBundle({ manifest, job, ...free, finishReason: 'length' }), model });
    expect(unmasked.verdict).toBe('refuted');
    expect(unmasked.tokenDifference).toBeDefined();
    const edited = run.completionIds.with(1, 50);
    const after = verifyBundle({ bundle: makeBundle({ manifest, job, ...run, completionIds: edited, finishReason }), model });
    expect(after.tokenDifference).toMatchObject({ index: 1, claimed: 50, sampled: run.completionIds[1] });
  });
});
