import { createReferenceExecutor } from '@commonweight/engine';
import { utf8 } from '@commonweight/protocol';
import { describe, expect, it } from 'vitest';
import { replay } from './replay.ts';
import { decode, greedy, makeBundle } from './testing/make-bundle.ts';
import { decodeText, executor, job, manifest, model, otherModel, tamperedExecutor } from './testing/tiny.ts';

const honest = decode(executor, job);
const bundle = makeBundle({ manifest, job, ...honest, finishReason: 'length' });

describe('replay', () => {
  it('generates the same ids and bytes again', () => {
    const seen: number[] = [];
    const again = replay({ bundle, model, onToken: (index, id) => seen.push(index, id) });
    expect(again.ids).toEqual(honest.completionIds);
    expect(again.text).toBe(decodeText(honest.completionIds));
    expect(again.bytes).toEqual(utf8(decodeText(honest.completionIds)));
    expect(seen.slice(-2)).toEqual([11, honest.completionIds[11]]);
    expect(replay({ bundle, model: { manifest, executor } })).toEqual({ ids: honest.completionIds });
  });

  it('generates a greedy answer, one that ends with a stop id, and nothing', () => {
    const greedyJob = { ...job, sampler: greedy };
    const whole = decode(executor, greedyJob);
    const stopJob = { ...greedyJob, stopIds: [whole.completionIds[4]!] };
    const stopped = decode(executor, stopJob);
    expect(replay({ bundle: makeBundle({ manifest, job: greedyJob, ...whole, finishReason: 'length' }), model }).ids).toEqual(
      whole.completionIds,
    );
    expect(replay({ bundle: makeBundle({ manifest, job: stopJob, ...stopped, finishReason: 'stop_id' }), model }).ids).toEqual(
      stopped.completionIds,
    );
    expect(replay({ bundle: makeBundle({ manifest, job, ...honest, completionIds: [], finishReason: 'cancelled' }), model }).ids).toEqual(
      [],
    );
  });

  it('throws where the bundle differs, goes on after a stop id, or is of another model', () => {
    const edited = { ...bundle, completionIds: honest.completionIds.with(3, (honest.completionIds[3]! + 1) % 95) };
    expect(() => replay({ bundle: edited, model })).toThrow(/answer token 4: the model samples/);
    expect(() => replay({ bundle, model: { manifest, executor: tamperedExecutor(0) } })).toThrow(/the model samples/);
    const beyond = makeBundle({ manifest, job: { ...job, stopIds: [honest.completionIds[0]!] }, ...honest, finishReason: 'length' });
    expect(() => replay({ bundle: beyond, model })).toThrow(/the model stops with/);
    const other = { manifest: otherModel.manifest, executor: createReferenceExecutor(otherModel.manifest, otherModel.source) };
    expect(() => replay({ bundle, model: other })).toThrow(/expected the weights of model/);
  });
});
