import { createReferenceExecutor, createWasmExecutor } from '@commonweight/engine';
import { loadEngineWasm, nodeSha256 } from '@commonweight/engine/node';
import {
  type Bundle,
  type Hex,
  type Hex32,
  type Receipt,
  bundleToJson,
  endDigest,
  limits,
  parseBundle,
  receiptDigest,
  signDigest,
} from '@commonweight/protocol';
import { beforeAll, describe, expect, it } from 'vitest';
import type { ChainFacts } from './chain-facts.ts';
import { exitCodes, type Report } from './report.ts';
import { type StepId, stepIds } from './step.ts';
import { type Run, decode, domain, firstSeenFrom, greedy, makeBundle, sessionKey } from './testing/make-bundle.ts';
import { mutations } from './testing/mutations.ts';
import { decodeText, executor, factsFor, job, manifest, model, otherModel, weights } from './testing/tiny.ts';
import { verifyBundle } from './verify-bundle.ts';

const withStatus = (report: Report, status: string): StepId[] => report.steps.filter((step) => step.status === status).map(({ id }) => id);
const failedSteps = (report: Report): StepId[] => withStatus(report, 'failed');
const detail = (report: Report, id: StepId): string => report.steps.find((step) => step.id === id)!.detail;

let run: Run;
let bundle: Bundle;
let facts: ChainFacts;
beforeAll(() => {
  run = decode(executor, job);
  bundle = makeBundle({ manifest, job, ...run, finishReason: 'length' });
  facts = factsFor(bundle);
});

describe('an honest answer', () => {
  it('is verified by re-execution, with chain facts in every step', () => {
    const report = verifyBundle({ bundle, model, answerText: decodeText(bundle.completionIds), chain: facts });
    expect(failedSteps(report)).toEqual([]);
    expect(withStatus(report, 'skipped')).toEqual(['end']);
    expect(report.steps.map(({ id }) => id)).toEqual(stepIds.filter((id) => id !== 'logprobs'));
    expect(report.verdict).toBe('verified');
    expect(exitCodes[report.verdict]).toBe(0);
    expect(report.notChecked).toEqual([]);
    expect(JSON.parse(JSON.stringify(report))).toEqual(report);
  });

  it('is verified without the chain, and the report names what was not checked', () => {
    const report = verifyBundle({ bundle, model });
    expect(report.verdict).toBe('verified');
    expect(withStatus(report, 'skipped')).toEqual(['end', 'text', 'chain-batch', 'chain-node', 'chain-model']);
    expect(report.notChecked).toHaveLength(5);
    expect(detail(report, 'signature')).toMatch(/only the chain can say/);
    const title = `a signature over the receipt by ${report.receipt.signer} (whose key it is only the chain can tell)`;
    expect(report.checked).toContain(title);
    expect(report.checked).not.toContain("the node's signature over the receipt");
    expect(report.notChecked[0]).toBe(
      `that ${report.receipt.signer} is the session key of node ${report.receipt.node}: the chain's word on it is not here`,
    );
    expect(Object.keys(report.steps.find(({ id }) => id === 'signature')!)).toEqual(['id', 'title', 'status', 'detail']);
    expect(verifyBundle({ bundle, model, chain: facts }).checked).toContain("the node's signature over the receipt");
  });

  it('is verified with greedy sampling, a stop id, a stop string and a cancelled beginning', () => {
    const quick = decode(executor, { ...job, sampler: greedy });
    const stopIds = [quick.completionIds[4]!];
    const stopped = decode(executor, { ...job, sampler: greedy, stopIds });
    expect(stopped.completionIds.length).toBeLessThan(12);
    const bundles = [
      makeBundle({ manifest, job: { ...job, sampler: greedy }, ...quick, finishReason: 'length' }),
      makeBundle({ manifest, job: { ...job, sampler: greedy, stopIds }, ...stopped, finishReason: 'stop_id' }),
      makeBundle({ manifest, job, thin: run.thin, completionIds: run.completionIds.slice(0, 5), finishReason: 'stop_string', ended: true }),
      makeBundle({ manifest, job, thin: run.thin, completionIds: run.completionIds.slice(0, 1), finishReason: 'stop_string', ended: true }),
      makeBundle({ manifest, job, thin: run.thin, completionIds: [], finishReason: 'stop_string', ended: true }),
    ];
    for (const honest of bundles) expect(failedSteps(verifyBundle({ bundle: honest, model, chain: factsFor(honest) }))).toEqual([]);
    for (const honest of bundles) expect(verifyBundle({ bundle: honest, model }).verdict).toBe('verified');
  });

  it('is only `unchecked` without the model, with another model and when interrupted', () => {
    const other = { manifest: otherModel.manifest, executor: createReferenceExecutor(otherModel.manifest, otherModel.source) };
    const mixed = { manifest, executor: other.executor };
    for (const input of [{ bundle }, { bundle, model: other }, { bundle, model: mixed }, { bundle, model, shouldStop: () => true }]) {
      const report = verifyBundle(input);
      expect(report.verdict).toBe('unchecked');
      expect(exitCodes[report.verdict]).toBe(2);
      expect(withStatus(report, 'skipped')).toEqual(expect.arrayContaining(['tokens', 'execution']));
    }
    expect(detail(verifyBundle({ bundle, model: other }), 'model')).toMatch(/the one here is/);
  });

  it('needs no digests, and is not helped by the facts of another chain', () => {
    const { digests: _, ...bare } = bundle;
    expect(verifyBundle({ bundle: bare, model }).verdict).toBe('verified');
    const elsewhere = verifyBundle({ bundle, model, chain: { ...facts, chainId: 1 } });
    expect(withStatus(elsewhere, 'skipped')).toEqual(expect.arrayContaining(['chain-batch', 'chain-node', 'chain-model']));
    expect(elsewhere.verdict).toBe('verified');
  });

  it('gets the same report from the WASM executor', () => {
    const wasm = createWasmExecutor(manifest, weights, loadEngineWasm());
    const byWasm = verifyBundle({ bundle, model: { ...model, executor: wasm }, chain: facts, sha256: nodeSha256 });
    expect(byWasm).toEqual(verifyBundle({ bundle, model, chain: facts }));
    expect(byWasm.verdict).toBe('verified');
  });

  it('reports progress up to the last position', () => {
    const seen: number[][] = [];
    verifyBundle({ bundle, model, onProgress: (done, total) => seen.push([done, total]) });
    expect(seen.at(-1)).toEqual([17, 17]);
  });
});

/** Which step must refute a change of the field. Fields that start alike share a line. */
const refutedBy: readonly (readonly [prefix: string, step: StepId | 'parse'])[] = [
  ['version', 'parse'],
  ['domain.', 'request'],
  ['request.version', 'parse'],
  ['request.sampler.logitBias.0.length', 'parse'],
  ['request.sampler.grammar', 'parse'],
  ['request.', 'request'],
  ['requestSignature', 'request'],
  ['nonce', 'prompt'],
  ['auditSalt', 'consent'],
  ['auditConsent', 'consent'],
  ['promptIds.', 'prompt'],
  ['completionIds.', 'ids'],
  ['receipt.', 'signature'],
  ['signature', 'signature'],
  ['end.', 'end'],
  ['digests', 'digests'],
];

describe('every field of a bundle, changed alone', () => {
  const parsed = (value: unknown): Bundle | undefined => {
    try {
      return parseBundle(value);
    } catch {
      return undefined;
    }
  };

  it('is refuted by the step that owns the field', () => {
    const honest = makeBundle({
      manifest,
      job,
      thin: run.thin,
      completionIds: run.completionIds.slice(0, 5),
      finishReason: 'stop_string',
      ended: true,
    });
    const chain = factsFor(honest);
    expect(verifyBundle({ bundle: honest, model, chain }).verdict).toBe('verified');
    const all = mutations(bundleToJson(honest));
    expect(all.length).toBeGreaterThan(60);
    const outcomes = all.map(({ path, value }) => {
      const step = refutedBy.find(([prefix]) => path.startsWith(prefix))?.[1];
      const changed = parsed(value);
      if (!changed) return { path, refuted: step === 'parse' };
      const report = verifyBundle({ bundle: changed, model, chain });
      return { path, refuted: report.verdict === 'refuted' && failedSteps(report).some((id) => id === step) };
    });
    expect(outcomes.filter(({ refuted }) => !refuted)).toEqual([]);
  });

  it('without chain facts, a change of the order, sum or time of receipts names another signer, and nothing else goes unrefuted', () => {
    const honestSigner = verifyBundle({ bundle }).receipt.signer;
    const unrefuted: string[] = [];
    for (const { path, value } of mutations(bundleToJson(bundle))) {
      const changed = parsed(value);
      const report = changed && verifyBundle({ bundle: changed, model });
      // half of all changed signatures are nobody's, the others are somebody's: whose it is now depends on the bytes
      if (!report || report.verdict === 'refuted' || path === 'signature') continue;
      unrefuted.push(report.receipt.signer === honestSigner ? `${path} by the same signer` : path);
    }
    // a changed signature names another signer, or none
    expect(unrefuted.filter((path) => path !== 'signature').sort()).toEqual([
      'receipt.batch',
      'receipt.cumulativeAmount',
      'receipt.issuedAt',
      'receipt.previous',
      'receipt.sequence',
    ]);
  });

  it('names the place as unknown when the digests are missing or false', () => {
    const lie = makeBundle({
      manifest,
      job,
      ...run,
      finishReason: 'length',
      forge: (receipt) => ({ ...receipt, thinRoot: `0x${'ab'.repeat(32)}` as Hex32 }),
    });
    const { digests: _, ...bare } = lie;
    expect(detail(verifyBundle({ bundle: bare, model }), 'execution')).toMatch(/place is unknown, because the bundle holds no digests/);
    const report = verifyBundle({ bundle: lie, model });
    expect(failedSteps(report)).toEqual(['digests', 'execution']);
    expect(detail(report, 'execution')).toMatch(/place is unknown, because the digests of the bundle do not belong/);
    expect(report.placeDifference).toBeUndefined();
  });
});

describe('signatures', () => {
  it('refuses the malleated twin of the receipt signature', () => {
    const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
    const s = order - BigInt(`0x${bundle.signature.slice(66, 130)}`);
    const v = bundle.signature.endsWith('1b') ? '1c' : '1b';
    const signature = `${bundle.signature.slice(0, 66)}${s.toString(16).padStart(64, '0')}${v}` as Hex;
    const report = verifyBundle({ bundle: { ...bundle, signature }, model });
    expect(failedSteps(report)).toEqual(['signature']);
    expect(report.receipt.signer).toBeNull();
  });

  it('refuses a receipt that was signed for another chain', () => {
    const signature = signDigest(receiptDigest(bundle.receipt, { ...domain, chainId: 1 }), sessionKey);
    expect(failedSteps(verifyBundle({ bundle: { ...bundle, signature }, model, chain: facts }))).toEqual(['signature', 'chain-node']);
  });

  it('refuses an end that somebody else signed, and a missing one', () => {
    const ended = makeBundle({
      manifest,
      job,
      thin: run.thin,
      completionIds: run.completionIds.slice(0, 3),
      finishReason: 'stop_string',
      ended: true,
    });
    const { end, ...without } = ended;
    expect(failedSteps(verifyBundle({ bundle: without, model }))).toEqual(['end']);
    expect(failedSteps(verifyBundle({ bundle: { ...ended, end: { ...end!, signature: ended.signature } }, model }))).toEqual(['end']);
  });

  it('an end that came too late is the payer’s word about where the text stops, and about nothing else', () => {
    const endAt = (completionTokens: number, change: object = {}, by = '11') => {
      const end = { requestHash: bundle.receipt.requestHash, completionTokens, reason: 'stop_string', ...change } as const;
      return { end, signature: signDigest(endDigest(end, domain), `0x${by.repeat(32)}` as Hex32) };
    };
    const late = (...given: Parameters<typeof endAt>): Bundle => ({ ...bundle, end: endAt(...given) });
    const text = decodeText(bundle.completionIds);
    const report = verifyBundle({ bundle: late(5), model, chain: facts, answerText: text.slice(0, 4) });
    expect(report.verdict).toBe('verified');
    expect(withStatus(report, 'skipped')).toEqual([]);
    expect(report.notChecked).toEqual([]);
    expect(detail(report, 'end')).toMatch(/with token 5 .* 12 tokens was over before/);
    const wordy = { ...model, decode: (ids: readonly number[]) => ids.map((id) => `${id}`.repeat(50)).join('') };
    const shown = wordy.decode(bundle.completionIds.slice(0, 2));
    expect(failedSteps(verifyBundle({ bundle: late(2), model: wordy, answerText: shown }))).toEqual([]);
    expect(failedSteps(verifyBundle({ bundle, model: wordy, answerText: shown }))).toEqual(['text']);
    expect(failedSteps(verifyBundle({ bundle: late(2), model, answerText: text.slice(0, 3) }))).toEqual(['text']);
    expect(failedSteps(verifyBundle({ bundle: late(13), model }))).toEqual(['end']);
    expect(failedSteps(verifyBundle({ bundle: late(5, { reason: 'cancelled' }), model }))).toEqual(['end']);
    expect(failedSteps(verifyBundle({ bundle: late(5, { requestHash: bundle.receipt.idsRoot }), model }))).toEqual(['end']);
    expect(failedSteps(verifyBundle({ bundle: late(5, {}, '22'), model }))).toEqual(['end']);
  });
});

describe('chain facts', () => {
  const cases: readonly (readonly [string, StepId, (facts: ReturnType<typeof factsFor>) => Partial<ChainFacts>])[] = [
    ['an unregistered node', 'chain-node', () => ({ node: { registered: false } })],
    ['a bond below the minimum', 'chain-node', ({ node }) => ({ node: { ...node!, bond: 9n } as ChainFacts['node'] & object })],
    ['an unregistered model', 'chain-model', () => ({ model: { registered: false } })],
    ['another batch root', 'chain-batch', ({ batch }) => ({ batch: { ...batch, root: `0x${'00'.repeat(22)}` } })],
    ['a proof for another count', 'chain-batch', ({ batch }) => ({ batch: { ...batch, count: 2 } })],
    ['a proof for another place', 'chain-batch', ({ batch }) => ({ batch: { ...batch, proof: { ...batch.proof, index: 0 } } })],
  ];
  it.each(cases)('%s refutes', (_, step, change) => {
    const honest = factsFor(bundle);
    expect(failedSteps(verifyBundle({ bundle, model, chain: { ...honest, ...change(honest) } }))).toEqual([step]);
  });

  it('a receipt that is not posted yet is not refuted', () => {
    const report = verifyBundle({ bundle, model, chain: { ...facts, batch: { posted: false } } });
    expect(report.verdict).toBe('verified');
    expect(report.notChecked.join()).toMatch(/not posted yet/);
  });
});

describe('the text', () => {
  it('must be what the ids decode to; a stop string may end it earlier', () => {
    const text = decodeText(bundle.completionIds);
    expect(failedSteps(verifyBundle({ bundle, model, answerText: `${text.slice(0, -1)}?` }))).toEqual(['text']);
    const shortened = verifyBundle({ bundle, model, answerText: text.slice(0, -1) });
    expect(withStatus(shortened, 'skipped')).toContain('text');
    expect(shortened.notChecked.join()).toMatch(/whether a stop string ended it or somebody cut it/);
    expect(shortened.summary).toMatch(/text that was shown was not confirmed/);
    expect(verifyBundle({ bundle, model, answerText: text }).summary).not.toMatch(/not confirmed/);
    const ended = makeBundle({
      manifest,
      job,
      thin: run.thin,
      completionIds: run.completionIds.slice(0, 5),
      finishReason: 'stop_string',
      ended: true,
    });
    expect(failedSteps(verifyBundle({ bundle: ended, model, answerText: text.slice(0, 3) }))).toEqual([]);
    expect(failedSteps(verifyBundle({ bundle: ended, model, answerText: text.slice(1, 3) }))).toEqual(['text']);
  });

  /** Ten units a token, so that a stop string is shorter than an answer. */
  const wordy = { ...model, decode: (ids: readonly number[]) => ids.map((id) => `${String(id).padStart(9, '.')} `).join('') };
  const most = limits.stopStringLength + 10;
  const endedAs = (finishReason: Receipt['finishReason']): Bundle => {
    const made = makeBundle({ manifest, job, ...run, finishReason, ended: true });
    if (finishReason === 'length') return bundle;
    const end = { ...made.end!.end, reason: finishReason as 'cancelled' };
    return { ...made, end: { end, signature: signDigest(endDigest(end, domain), `0x${'11'.repeat(32)}` as Hex32) } };
  };

  it.each(['stop_string', 'cancelled', 'length'] as const)('%s: leaves out a stop string and the last token at most', (finishReason) => {
    const given = endedAs(finishReason);
    const text = wordy.decode(given.completionIds);
    const within = verifyBundle({ bundle: given, model: wordy, answerText: text.slice(0, -most) });
    expect(failedSteps(within)).toEqual([]);
    expect(detail(within, 'text')).toContain(JSON.stringify(text.slice(-most)));
    const beyond = verifyBundle({ bundle: given, model: wordy, answerText: text.slice(0, -most - 1) });
    expect(failedSteps(beyond)).toEqual(['text']);
    expect(detail(beyond, 'text')).toContain(`${most + 1} UTF-16 units were not shown`);
    expect(failedSteps(verifyBundle({ bundle: given, model: wordy, answerText: '' }))).toEqual(['text']);
    if (finishReason === 'length') {
      expect(withStatus(within, 'skipped')).toContain('text');
      for (const told of [within.summary, within.notChecked.join()]) expect(told).toContain(JSON.stringify(text.slice(-most)));
    } else expect(within.steps.find(({ id }) => id === 'text')!.status).toBe('passed');
  });

  it('stop_id: the token before the stop id may hold more than the stop string', () => {
    const stopIds = [firstSeenFrom(bundle.completionIds, 3)];
    const stopped = makeBundle({ manifest, job: { ...job, stopIds }, ...decode(executor, { ...job, stopIds }), finishReason: 'stop_id' });
    const lengths = new Map([[stopIds[0], 0]]);
    const tail = { ...model, decode: (ids: readonly number[]) => ids.map((id) => 'x'.repeat(lengths.get(id) ?? 100)).join('') };
    const text = tail.decode(stopped.completionIds);
    const shown = (left: number) => verifyBundle({ bundle: stopped, model: tail, answerText: text.slice(0, -left) });
    expect(failedSteps(shown(164))).toEqual([]);
    expect(failedSteps(shown(165))).toEqual(['text']);
  });

  it('is not checked, and nothing else is lost, when the decoder fails or is of another model', () => {
    const broken = {
      ...model,
      decode: (): string => {
        throw new Error('token id: expected 0 to 94, got 95');
      },
    };
    const report = verifyBundle({ bundle, model: broken, answerText: 'x' });
    expect(report.verdict).toBe('verified');
    expect(detail(report, 'text')).toBe('the tokenizer here failed: token id: expected 0 to 94, got 95');
    const other = { manifest: otherModel.manifest, executor, decode: decodeText };
    expect(verifyBundle({ bundle, model: other, answerText: 'x' }).verdict).toBe('unchecked');
  });
});

describe('ids and positions outside the model', () => {
  it('are refused before anything is run', () => {
    const beyond = verifyBundle({ bundle: { ...bundle, promptIds: [96, ...bundle.promptIds.slice(1)] }, model });
    expect(failedSteps(beyond)).toContain('shape');
    expect(withStatus(beyond, 'skipped')).toEqual(expect.arrayContaining(['tokens', 'execution', 'text']));
    const long = verifyBundle({ bundle: { ...bundle, promptIds: Array.from({ length: 200 }, () => 1) }, model });
    expect(failedSteps(long)).toContain('shape');
    expect(failedSteps(verifyBundle({ bundle: { ...bundle, promptIds: [] }, model }))).toContain('shape');
  });

  it('are refused, not thrown, when request and receipt name different models', () => {
    const request = { ...bundle.request, modelId: `0x${'ab'.repeat(32)}` as Hex32 };
    const report = verifyBundle({ bundle: { ...bundle, request, completionIds: bundle.completionIds.with(0, 96) }, model });
    expect(report.verdict).toBe('refuted');
    expect(failedSteps(report)).toEqual(expect.arrayContaining(['shape', 'terms']));
  });

  it('are bounded by the model of the receipt alone: a smaller model here refutes nothing', () => {
    const small = { ...manifest, graph: { ...manifest.graph, vocabulary: 2, context: 2 } };
    expect(verifyBundle({ bundle, model: { ...model, manifest: small } }).verdict).toBe('unchecked');
  });
});
