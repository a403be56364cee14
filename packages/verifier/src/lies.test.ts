import { type Address, type Bundle, type Hex32, ThinCommitment } from '@commonweight/protocol';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Report } from './report.ts';
import type { StepId } from './step.ts';
import { type Run, decode, makeBundle, prefill } from './testing/make-bundle.ts';
import { executor, factsFor, job, manifest, model, tamperedExecutor } from './testing/tiny.ts';
import { verifyBundle } from './verify-bundle.ts';

/** Lies of a node that signs them validly: only what it claims is false. */
let honest: Run;
beforeAll(() => {
  honest = decode(executor, job);
});

const verify = (bundle: Bundle): Report => verifyBundle({ bundle, model, chain: factsFor(bundle) });
const failedSteps = ({ steps }: Report): StepId[] => steps.filter(({ status }) => status === 'failed').map(({ id }) => id);
const bundleOf = (run: Run, finishReason: 'length' | 'stop_id' = 'length'): Bundle => makeBundle({ manifest, job, ...run, finishReason });
const changeFirst = (ids: readonly number[], index: number): number[] => ids.map((id, i) => (i === index ? (id + 1) % 95 : id));

describe('a node that lies and signs', () => {
  it('a tampered model: the first differing position, commit point and layer are named', () => {
    const places = ([0, 2] as const).map((layer) => verify(bundleOf(decode(tamperedExecutor(layer), job))).placeDifference);
    expect(places).toEqual([
      expect.objectContaining({ position: 0, commitPoint: 0, layer: 0 }),
      expect.objectContaining({ position: 0, commitPoint: 1, layer: 2 }),
    ]);
    const report = verify(bundleOf(decode(tamperedExecutor(0), job)));
    expect(report.verdict).toBe('refuted');
    expect(failedSteps(report)).toContain('execution');
    expect(report.steps.find(({ id }) => id === 'execution')!.detail).toMatch(
      /first difference at position 0, commit point 0 \(after layer 0\)/,
    );
  });

  it('a tampered layer between two commit points is placed at the next one', () => {
    expect(verify(bundleOf(decode(tamperedExecutor(1), job))).placeDifference).toMatchObject({ position: 0, commitPoint: 1, layer: 2 });
  });

  it.each([0, 5, 11])('an edited token at %i: its position is named', (index) => {
    const report = verify(bundleOf({ ...honest, completionIds: changeFirst(honest.completionIds, index) }));
    expect(report.verdict).toBe('refuted');
    expect(report.tokenDifference).toMatchObject({ index, position: job.promptIds.length + index, sampled: honest.completionIds[index] });
    // what follows the edited token was computed from the true one; the last one is never fed back
    expect(failedSteps(report)).toEqual(index === 11 ? ['tokens'] : ['tokens', 'execution']);
  });

  it('a shortened answer: the stop rule refutes it, as length, as stop_id and without an end by the payer', () => {
    const short = { ...honest, completionIds: honest.completionIds.slice(0, 8) };
    expect(failedSteps(verify(bundleOf(short)))).toEqual(['stop']);
    expect(failedSteps(verify(bundleOf(short, 'stop_id')))).toEqual(['stop']);
    expect(failedSteps(verify(makeBundle({ manifest, job, ...short, finishReason: 'cancelled' })))).toEqual(['end']);
  });

  it('a stop id that is hidden: the answer goes on', () => {
    const stopIds = [honest.completionIds[3]!];
    const bundle = makeBundle({ manifest, job: { ...job, stopIds }, ...honest, finishReason: 'length' });
    expect(failedSteps(verify(bundle))).toEqual(['stop']);
  });

  it('over-counted tokens', () => {
    const forged = makeBundle({
      manifest,
      job,
      ...honest,
      finishReason: 'length',
      forge: (receipt) => ({ ...receipt, completionTokens: receipt.completionTokens + 5, promptTokens: receipt.promptTokens + 1 }),
    });
    expect(failedSteps(verify(forged))).toContain('counts');
  });

  it('more tokens than were ordered', () => {
    const longer = decode(executor, { ...job, maxTokens: 14 });
    expect(failedSteps(verify(bundleOf(longer)))).toEqual(['counts', 'stop']);
  });

  it('another prompt', () => {
    const other = decode(executor, { ...job, promptIds: changeFirst(job.promptIds, 2) });
    const report = verify(bundleOf(other));
    expect(failedSteps(report)).toContain('execution');
    expect(report.placeDifference).toMatchObject({ position: 2, commitPoint: 0 });
  });

  it('another seed, another temperature, another top-k: roots are right, tokens are not sampled by the model', () => {
    const others = [
      { ...job, seed: `0x${'45'.repeat(16)}` } as const,
      { ...job, sampler: { ...job.sampler, temperature: 0 } },
      { ...job, sampler: { ...job.sampler, temperature: 2 * job.sampler.temperature } },
      { ...job, sampler: { ...job.sampler, topK: 1 } },
    ];
    for (const other of others) {
      const run = decode(executor, other);
      expect(run.completionIds).not.toEqual(honest.completionIds);
      const report = verify(bundleOf(run));
      expect(failedSteps(report)).toEqual(['tokens']);
      expect(report.placeDifference).toBeUndefined();
    }
  });

  it('decoded with a tampered model, then prefilled with the right one: every root is right, only the tokens are not', () => {
    const { completionIds } = decode(tamperedExecutor(0), job);
    const thin = prefill(executor, [...job.promptIds, ...completionIds]);
    const report = verify(bundleOf({ completionIds, thin }));
    expect(failedSteps(report)).toEqual(['tokens']);
    expect(report.tokenDifference).toBeDefined();
  });

  it('swapped digests of a right root, or a root over fewer positions', () => {
    const digests = honest.thin.bytes(3);
    const short = makeBundle({ manifest, job, ...honest, thin: new Truncated(honest.thin, 3), finishReason: 'length' });
    expect(failedSteps(verify({ ...short, digests }))).toEqual(['shape', 'digests']);
    expect(failedSteps(verify({ ...short, digests: honest.thin.bytes() }))).toEqual(['digests', 'execution']);
  });

  it('a price above the agreed one, and a sum that skips this answer', () => {
    const dear = (change: object): Bundle =>
      makeBundle({ manifest, job, ...honest, finishReason: 'length', forge: (receipt) => ({ ...receipt, ...change }) });
    expect(failedSteps(verify(dear({ completionPrice: 3_000_001n })))).toEqual(['terms']);
    expect(failedSteps(verify(dear({ cumulativeAmount: 1n })))).toEqual(['amount']);
    expect(failedSteps(verify(dear({ cumulativeAmount: 10n ** 18n })))).toEqual(['terms']);
    expect(failedSteps(verify(dear({ sequence: 0 })))).toEqual(['amount']);
    expect(failedSteps(verify(dear({ sequence: 0, previous: `0x${'00'.repeat(32)}` as Hex32 })))).toEqual(['amount']);
    expect(failedSteps(verify(dear({ previous: `0x${'00'.repeat(32)}` as Hex32 })))).toEqual(['amount']);
  });

  it('a receipt in the name of another node', () => {
    const other = makeBundle({
      manifest,
      job,
      ...honest,
      finishReason: 'length',
      forge: (receipt) => ({ ...receipt, node: `0x${'34'.repeat(20)}` as Address }),
    });
    expect(failedSteps(verify(other))).toEqual(['terms']);
  });
});

/** A commitment that pretends to cover all positions and has the root of the first few. */
class Truncated extends ThinCommitment {
  readonly #kept: number;
  constructor(whole: ThinCommitment, kept: number) {
    super(whole.points);
    this.#kept = kept;
    for (let position = 0; position < whole.positions; position++)
      for (let point = 0; point < whole.points; point++) this.append(whole.digest(position, point)!);
  }

  override root(): Uint8Array {
    return super.root(this.#kept);
  }
}
