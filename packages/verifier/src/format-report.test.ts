import { describe, expect, it } from 'vitest';
import { formatReport } from './format-report.ts';
import { decode, makeBundle } from './testing/make-bundle.ts';
import { executor, job, manifest, model, tamperedExecutor } from './testing/tiny.ts';
import { verifyBundle } from './verify-bundle.ts';

const honest = makeBundle({ manifest, job, ...decode(executor, job), finishReason: 'length' });

describe('formatReport', () => {
  it('shows every step, what was not checked and what remains trust', () => {
    const report = verifyBundle({ bundle: honest, model });
    const text = formatReport(report);
    for (const { title, detail } of report.steps) expect(text).toContain(`${title}\n      ${detail}`);
    for (const sentence of [...report.trust, ...report.notChecked]) expect(text).toContain(sentence);
    expect(text).toMatch(/^VERIFIED: /m);
    expect(text).not.toMatch(/FAIL/);
  });

  it('names the place of a lie', () => {
    const lie = makeBundle({ manifest, job, ...decode(tamperedExecutor(0), job), finishReason: 'length' });
    expect(formatReport(verifyBundle({ bundle: lie, model }))).toMatch(
      /^REFUTED: [^]*First differing place: position 0, commit point 0 \(after layer 0\)\./m,
    );
    expect(formatReport(verifyBundle({ bundle: lie }))).toMatch(/^COULD NOT CHECK: /m);
  });

  it('sends no control characters of untrusted text to the terminal', () => {
    const evil = { ...model, decode: () => '\u001b[2Jhidden' };
    const report = verifyBundle({ bundle: honest, model: evil, answerText: 'x' });
    expect(formatReport({ ...report, summary: 'a\u001b[2Jb\u0085\u202e' })).toContain('a\\u{1b}[2Jb\\u{85}\\u{202e}');
  });
});
