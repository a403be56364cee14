import { CommonweightError, type Manifest, type MatrixTensor } from '@commonweight/protocol';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import type { Executor, ForwardObserver, Sequence, WeightsSource } from '../executor.ts';
import { createReferenceExecutor } from '../reference/executor.ts';
import { runs } from './arbitraries.ts';
import { type TinyModel, type TinyModelOptions, buildTinyModel, memorySource, tinyShapes } from './tiny-model.ts';
import { type Trace, randomIds, traceOf } from './trace.ts';

type CreateExecutor = (manifest: Manifest, weights: WeightsSource) => Executor;

const shapes: Record<string, TinyModelOptions> = {
  ...tinyShapes,
  wideFfn: { layers: 1, width: 40, heads: 2, kvHeads: 1, headDimension: 20, ffnWidth: 4100, vocabulary: 33 },
  wideResidual: { layers: 1, width: 2084, heads: 3, kvHeads: 3, headDimension: 2, ffnWidth: 17, vocabulary: 50 },
  largeHead: { layers: 2, width: 30, heads: 4, kvHeads: 1, headDimension: 256, ffnWidth: 31, vocabulary: 18, head: 'untied' },
  saturatingOdd: { ...tinyShapes.odd, gain: 16, seed: 5 },
  saturatingNarrow: { ...tinyShapes.odd, gain: 16, seed: 6, activationBits: 8 },
  oneLayerCommitted: { layers: 4, commitPoints: [3], activationBits: 9 },
};
const SEQUENCES = 10;
const POSITIONS = 40;
const BATCHED = ['odd', 'untied', 'narrowActivations', 'oneLayerCommitted', 'biasedAndNormed'] as const;

/**
 * What every executor must do, whatever it runs on; the reference says which bits.
 * @param batches - random mixes of sequences; a slow executor runs fewer
 */
export function describeExecutor(name: string, createExecutor: CreateExecutor, batches = 12): void {
  describe(`${name} as an executor`, () => {
    const opened: Executor[] = [];
    const create: CreateExecutor = (manifest, weights) => {
      const executor = createExecutor(manifest, weights);
      opened.push(executor);
      return executor;
    };
    afterEach(() => {
      for (const executor of opened.splice(0)) executor.close();
    });

    describe('gives the bits of the reference', () => {
      it.each(Object.entries(shapes))('%s, in any chunks', (_, options) => {
        const { manifest, source } = buildTinyModel({ context: 120, ...options });
        const ids = randomIds(manifest.graph.vocabulary, 77);
        const expected = traceOf(createReferenceExecutor(manifest, source), ids, [77]);
        expect(expected.residuals).toHaveLength(77 * manifest.graph.commitPoints.length);
        expect(new Set(expected.logits.map((line) => line.split(':')[1])).size).toBe(77);
        const executor = create(manifest, source);
        for (const chunks of [[77], [1], [7, 1, 2, 3, 30]]) expect(traceOf(executor, ids, chunks)).toEqual(expected);
      });

      it('over more than one block of positions', () => {
        const { manifest, source } = buildTinyModel({
          layers: 1,
          width: 16,
          heads: 1,
          kvHeads: 1,
          ffnWidth: 16,
          vocabulary: 40,
          context: 1100,
        });
        const ids = randomIds(40, 1100);
        const expected = traceOf(createReferenceExecutor(manifest, source), ids, [1100], 1090);
        expect(traceOf(create(manifest, source), ids, [1000, 1], 1090)).toEqual(expected);
      });

      it.each(BATCHED)('%s: every sequence of a batch, whatever runs beside it', (shape) => {
        const model = buildTinyModel({ context: POSITIONS, ...shapes[shape] });
        const executor = create(model.manifest, model.source);
        const alone = tracesAlone(model);
        // how many ids every sequence appends in every step, and from where on it asks for logits
        const mix = fc.array(fc.array(fc.nat(9), { minLength: 1, maxLength: SEQUENCES }), { minLength: 1, maxLength: 8 });
        fc.assert(
          fc.property(mix, fc.array(fc.nat(POSITIONS), { minLength: SEQUENCES, maxLength: SEQUENCES }), (steps, logitsFrom) => {
            const running = alone.map(({ ids }, i) => ({ ids, sequence: executor.newSequence(POSITIONS), ...recorder(logitsFrom[i]!) }));
            for (const counts of steps) {
              executor.forwardBatch(
                counts.map((count, i) => {
                  const { ids, sequence, observer } = running[i]!;
                  return { sequence, ids: ids.slice(sequence.length, sequence.length + count), observer };
                }),
              );
            }
            for (const [i, { sequence, trace }] of running.entries()) {
              expect(trace).toEqual(prefixOf(alone[i]!.trace, model, sequence.length, logitsFrom[i]!));
              sequence.release();
            }
          }),
          { ...runs, numRuns: batches },
        );
      });

      it('in a sequence that begins with a copy of another one', () => {
        const model = buildTinyModel({ context: POSITIONS, ...tinyShapes.odd });
        const executor = create(model.manifest, model.source);
        const [{ ids, trace }] = tracesAlone(model) as [ReturnType<typeof tracesAlone>[number]];
        const source = executor.newSequence(POSITIONS - 3);
        executor.forward(source, ids.slice(0, 30));
        fc.assert(
          fc.property(fc.nat(30), fc.integer({ min: 30, max: POSITIONS }), (positions, capacity) => {
            const copy = executor.newSequence(capacity);
            copy.copyFrom(source, positions);
            expect(copy.length).toBe(positions);
            const rest = recorder(0);
            executor.forward(copy, ids.slice(positions, capacity), rest.observer);
            expect(rest.trace.logits).toEqual(trace.logits.slice(positions, capacity));
            copy.release();
          }),
          { ...runs, numRuns: 2 * batches },
        );
      });
    });

    it('keeps executors and sequences apart, and gives memory of released ones out again', () => {
      const { manifest, source } = buildTinyModel(tinyShapes.odd);
      const other = buildTinyModel({ ...tinyShapes.odd, seed: 99 });
      const [a, b] = [create(manifest, source), create(other.manifest, other.source)];
      const ids = randomIds(manifest.graph.vocabulary, 20);
      const reversed = ids.toReversed();
      const expected = [traceOf(a, ids, [20]), traceOf(a, reversed, [20])];
      expect(expected[0]!.logits).not.toEqual(expected[1]!.logits);
      const [first, second, third] = [a.newSequence(20), a.newSequence(20), b.newSequence(20)];
      const [one, two] = [recorder(0), recorder(0)];
      for (let i = 0; i < 20; i++) {
        a.forward(first, [ids[i]!], one.observer);
        b.forward(third, [ids[i]!]);
        a.forward(second, [reversed[i]!], two.observer);
      }
      expect([one.trace, two.trace]).toEqual(expected);
      for (let i = 0; i < 2000; i++) a.newSequence(128).release();
      expect(traceOf(a, ids, [20])).toEqual(expected[0]);
    });

    it('gives logits from the position that is asked for and none by default', () => {
      const { manifest, source } = buildTinyModel();
      const executor = create(manifest, source);
      const positions: number[] = [];
      const onLogits = (position: number): void => void positions.push(position);
      const sequence = executor.newSequence(8);
      executor.forward(sequence, [1, 2, 3], { onLogits });
      executor.forward(sequence, [4, 5, 6], { onLogits, logitsFrom: 5 });
      executor.forward(sequence, []);
      executor.forwardBatch([]);
      expect(positions).toEqual([5]);
      expect(sequence.length).toBe(6);
    });

    it('refuses wrong ids, a full, released or foreign sequence and a capacity outside the context, and changes nothing', () => {
      const { manifest, source } = buildTinyModel();
      const executor = create(manifest, source);
      const [sequence, other] = [executor.newSequence(2), executor.newSequence(2)];
      const refuses = (ids: readonly number[], message: string, of: Sequence = sequence): void => {
        expect(() => executor.forward(of, ids)).toThrow(message);
        const seen = recorder(0);
        expect(() =>
          executor.forwardBatch([
            { sequence: other, ids: [1], observer: seen.observer },
            { sequence: of, ids },
          ]),
        ).toThrow(message);
        expect([seen.trace.logits, other.length, sequence.length]).toEqual([[], 0, 0]);
      };
      refuses([96], 'ids from 0 to 95, got 96');
      refuses([1, -1], 'ids from 0 to 95, got -1');
      refuses([1, 2, 3], 'at most 2 more ids, got 3');
      refuses([1], 'sequence of this executor', create(manifest, source).newSequence(2));
      const twice = [1, 2].map((id) => ({ sequence, ids: [id] }));
      expect(() => executor.forwardBatch(twice)).toThrow('every sequence of a batch once');
      expect(sequence.length).toBe(0);
      sequence.release();
      sequence.release();
      expect(() => executor.forward(sequence, [1])).toThrow('released');
      expect(() => executor.forward(sequence, [])).toThrow('released');
      expect(() => executor.newSequence(129)).toThrow('1 to 128 positions, got 129');
      expect(() => executor.newSequence(0)).toThrow(CommonweightError);
    });

    it('refuses everything once it is closed', () => {
      const { manifest, source } = buildTinyModel();
      const executor = create(manifest, source);
      const sequence = executor.newSequence(8);
      executor.close();
      executor.close();
      expect(() => executor.forward(sequence, [1])).toThrow('an executor in use, got a closed one');
      expect(() => executor.newSequence(8)).toThrow('closed');
    });

    it('refuses to copy into a sequence in use, more than there is, or from another executor', () => {
      const { manifest, source } = buildTinyModel();
      const executor = create(manifest, source);
      const [from, to] = [executor.newSequence(8), executor.newSequence(3)];
      executor.forward(from, [1, 2, 3, 4]);
      expect(() => to.copyFrom(from, 4)).toThrow('positions: expected 0 to 3, got 4');
      expect(() => executor.newSequence(8).copyFrom(from, 5)).toThrow('positions: expected 0 to 4, got 5');
      expect(() => to.copyFrom(create(manifest, source).newSequence(8), 0)).toThrow('sequence of this executor');
      expect(() => from.copyFrom(to, 0)).toThrow('an empty sequence to copy into, got one of 4 positions');
      from.release();
      expect(() => to.copyFrom(from, 1)).toThrow('released');
    });

    it('refuses weights of -128 and wrong multipliers and names the tensor', () => {
      const { manifest, weights } = buildTinyModel(tinyShapes.odd);
      const tensor = manifest.tensors.find((t): t is MatrixTensor => t.name === 'blk.1.ffn_up')!;
      const refuses = (change: (view: DataView) => void, message: string): void => {
        const copy = weights.slice();
        change(new DataView(copy.buffer));
        expect(() => create(manifest, memorySource(copy))).toThrow(message);
      };
      refuses(
        (view) => view.setInt8(tensor.weights + 5, -128),
        'tensor blk.1.ffn_up: expected weights from -127 to 127, got -128 at byte 5',
      );
      refuses(
        (view) => view.setInt32(tensor.multipliers, -1, true),
        'tensor blk.1.ffn_up: expected a multiplier from 0 to 4194304 at row 0, got -1',
      );
    });
  });
}

/** Ids of some sequences, and what the reference shows of each when it runs alone. */
function tracesAlone({ manifest, source }: TinyModel) {
  const reference = createReferenceExecutor(manifest, source);
  return Array.from({ length: SEQUENCES }, (_, i) => {
    const ids = randomIds(manifest.graph.vocabulary, POSITIONS, i + 1);
    return { ids, trace: traceOf(reference, ids, [POSITIONS]) };
  });
}

const prefixOf = ({ residuals, logits }: Trace, { manifest }: TinyModel, length: number, logitsFrom: number): Trace => ({
  residuals: residuals.slice(0, length * manifest.graph.commitPoints.length),
  logits: logits.slice(Math.min(logitsFrom, length), length),
});

function recorder(logitsFrom: number): { readonly trace: Trace; readonly observer: ForwardObserver } {
  const trace: Trace = { residuals: [], logits: [] };
  const observer: ForwardObserver = {
    logitsFrom,
    onResidual: (position, point, residual) => trace.residuals.push(`${position}.${point}:${residual.join()}`),
    onLogits: (position, logits) => trace.logits.push(`${position}:${logits.join()}`),
  };
  return { trace, observer };
}
