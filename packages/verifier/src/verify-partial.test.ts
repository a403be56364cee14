import {
  type Bundle,
  type Hex32,
  PARTIAL_VERSION,
  type PartialBundle,
  addressOfKey,
  checkpointDigest,
  parsePartialBundle,
  signDigest,
  streamHead,
} from '@commonweight/protocol';
import { beforeAll, describe, expect, it } from 'vitest';
import { formatReport } from './format-report.ts';
import { replay } from './replay.ts';
import type { PartialReport } from './report.ts';
import { type PartialStepId, partialStepIds } from './step.ts';
import { type Job, type Run, decode, domain, makeBundle, sessionKey } from './testing/make-bundle.ts';
import { mutations } from './testing/mutations.ts';
import { decodeText, executor, job, manifest, model, otherModel } from './testing/tiny.ts';
import { verifyPartial } from './verify-partial.ts';

// no stop id: the whole length is there to break off in
const long: Job = { ...job, stopIds: [], maxTokens: 24 };
let run: Run;
let bundle: Bundle;
let partial: PartialBundle;

/** What a node signed over the first `count` of these ids. */
function partialOf(from: Bundle, count: number, completionIds: readonly number[] = from.completionIds): PartialBundle {
  const { receipt, signature: _, digests: __, end: ___, version: ____, ...asked } = from;
  const covered = completionIds.slice(0, count);
  const head = streamHead(receipt.requestHash, from.nonce, covered);
  const checkpoint = { requestHash: receipt.requestHash, completionTokens: count, head };
  const signature = signDigest(checkpointDigest(checkpoint, domain), sessionKey);
  return { version: PARTIAL_VERSION, ...asked, completionIds: covered, checkpoint, signature };
}

beforeAll(() => {
  run = decode(executor, long);
  bundle = makeBundle({ manifest, job: long, ...run, finishReason: 'length' });
  partial = partialOf(bundle, 16);
});

const withStatus = (report: PartialReport, status: string) => report.steps.filter((step) => step.status === status).map(({ id }) => id);
const failedSteps = (report: PartialReport) => withStatus(report, 'failed');
const facts = () => ({
  chainId: domain.chainId,
  receiptLog: domain.verifyingContract,
  node: { registered: true, sessionKey: addressOfKey(sessionKey), bond: 10n, minimumBond: 10n } as const,
  model: { registered: true },
});

describe('an answer that broke off', () => {
  it('is verified for the tokens that the checkpoint covers, and for them only', () => {
    const report = verifyPartial({ partial, model, chain: facts(), answerText: decodeText(partial.completionIds) });
    const ids = partialStepIds.filter((id) => id !== 'logprobs');
    expect(report.steps.map(({ id }) => id)).toEqual(ids);
    expect(withStatus(report, 'passed')).toEqual(ids);
    expect(report).toMatchObject({ verdict: 'verified', checkpoint: { completionTokens: 16, signer: addressOfKey(sessionKey) } });
    expect(report.summary).toMatch(/first 16 tokens only: there is no receipt and no thin root/);
    expect(report.notChecked).toEqual([expect.stringMatching(/after token 16/), expect.stringMatching(/^a receipt: /)]);
    expect(JSON.parse(JSON.stringify(report))).toEqual(report);
    const text = formatReport(report);
    expect(text).toMatch(/^request 0x[0-9a-f]{64}$/m);
    expect(text).toMatch(/^tokens {2}6 prompt, the first 16 answer, broken off$/m);
    expect(text).toMatch(/^VERIFIED: /m);
    expect(replay({ bundle: partial, model }).ids).toEqual(partial.completionIds);
  });

  it('a first token alone is enough', () => expect(verifyPartial({ partial: partialOf(bundle, 1), model }).verdict).toBe('verified'));

  it('names the text that nobody signed', () => {
    const report = verifyPartial({ partial, model, answerText: decodeText(run.completionIds.slice(0, 20)) });
    expect(report.verdict).toBe('verified');
    const beyond = JSON.stringify(decodeText(run.completionIds.slice(16, 20)));
    expect(report.notChecked).toContain(`the 4 characters ${beyond} at the end of the text: no signature covers them`);
    const shorter = verifyPartial({ partial, model, answerText: decodeText(run.completionIds.slice(0, 12)) });
    expect(failedSteps(shorter)).toEqual([]);
    const other = verifyPartial({ partial, model, answerText: `x${decodeText(run.completionIds)}` });
    expect(failedSteps(other)).toEqual(['text']);
  });

  it('without the model, or with another one, it counts as signed', () => {
    for (const given of [undefined, { ...model, manifest: otherModel.manifest }]) {
      const report = verifyPartial({ partial, ...(given && { model: given }) });
      expect(report.verdict).toBe('unchecked');
      expect(report.summary).toMatch(/signed, not as verified/);
    }
    expect(verifyPartial({ partial, model, shouldStop: () => true }).verdict).toBe('unchecked');
  });
});

describe('a node that lies in a checkpoint', () => {
  it('a token that the model does not sample is refuted, at its place', () => {
    const lie = run.completionIds.with(7, (run.completionIds[7]! + 1) % 95);
    const report = verifyPartial({ partial: partialOf(bundle, 16, lie), model, chain: facts() });
    expect(report.verdict).toBe('refuted');
    // everything that a signature or a hash can tell is in order: that is the evidence
    expect(failedSteps(report)).toEqual(['tokens']);
    expect(report.tokenDifference).toMatchObject({ index: 7, sampled: run.completionIds[7], claimed: lie[7] });
    expect(() => replay({ bundle: partialOf(bundle, 16, lie), model })).toThrow(/answer token 8/);
  });

  it('an answer that goes on after its stop id', () => {
    const stopping = makeBundle({ manifest, job: { ...long, stopIds: [run.completionIds[3]!] }, ...run, finishReason: 'length' });
    expect(failedSteps(verifyPartial({ partial: partialOf(stopping, 16), model }))).toEqual(['stop']);
  });

  it('more tokens than were asked for, and a count at which no checkpoint is due', () => {
    const short = makeBundle({ manifest, job: { ...long, maxTokens: 8 }, ...run, finishReason: 'length' });
    expect(failedSteps(verifyPartial({ partial: partialOf(short, 16), model }))).toEqual(['counts']);
    expect(failedSteps(verifyPartial({ partial: partialOf(bundle, 15), model }))).toEqual(['counts']);
  });

  it('another key than the registered one', () => {
    const chain = { ...facts(), node: { ...facts().node, sessionKey: addressOfKey(`0x${'99'.repeat(32)}` as Hex32) } };
    expect(failedSteps(verifyPartial({ partial, model, chain }))).toEqual(['signature', 'chain-node']);
    const nobody = { ...facts(), node: { registered: false } as const };
    expect(failedSteps(verifyPartial({ partial, model, chain: nobody }))).toEqual(['chain-node']);
  });
});

it('no field can be changed without a refutation', () => {
  const chain = facts();
  const undetected: string[] = [];
  const steps = new Set<string>();
  for (const { path, value } of mutations(JSON.parse(JSON.stringify(partial)))) {
    let changed: PartialBundle;
    try {
      changed = parsePartialBundle(value);
    } catch {
      continue;
    }
    const report = verifyPartial({ partial: changed, chain });
    if (report.verdict !== 'refuted') undetected.push(path);
    for (const id of failedSteps(report)) steps.add(id);
  }
  expect(undetected).toEqual([]);
  const expected: PartialStepId[] = ['request', 'prompt', 'counts', 'ids', 'consent', 'signature'];
  expect([...steps]).toEqual(expect.arrayContaining(expected));
});
