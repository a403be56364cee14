import type { Manifest } from '@commonweight/protocol';
import type { BatchPart, ForwardObserver, WeightsExecutor } from '../executor.ts';
import { Lifetime } from '../lifetime.ts';
import { checkBatch } from '../sequence-checks.ts';
import type { KernelCache, KernelHost, StepRow } from './kernel-host.ts';
import { KernelSequence } from './kernel-sequence.ts';

/** A row of a step and who hears of it. */
interface PlannedRow<C extends KernelCache> {
  readonly sequence: KernelSequence<C>;
  readonly id: number;
  readonly position: number;
  readonly observer: ForwardObserver;
}

/** The executor over compiled kernels, the same for all of them: whatever is asked for becomes rows, cut into steps of at most `host.chunk`. */
export function createKernelExecutor<C extends KernelCache>(manifest: Manifest, host: KernelHost<C>): WeightsExecutor {
  const { graph } = manifest;
  const points = graph.commitPoints.length;
  const lifetime = new Lifetime();
  const forwardBatch = (parts: readonly BatchPart[]): void => {
    lifetime.check();
    checkBatch(parts);
    const rows = parts.flatMap((part) => plan(host, part));
    for (let at = 0; at < rows.length; at += host.chunk) runStep(host, points, rows.slice(at, at + host.chunk));
  };
  return {
    backend: host.backend,
    manifest,
    weightsRoot: host.weightsRoot,
    newSequence: (capacity) => {
      lifetime.check();
      return new KernelSequence(graph, host, capacity);
    },
    forward: (sequence, ids, observer = {}) => forwardBatch([{ sequence, ids, observer }]),
    forwardBatch,
    close: () => {
      if (lifetime.end()) host.close();
    },
  };
}

function plan<C extends KernelCache>(host: KernelHost<C>, { sequence, ids, observer = {} }: BatchPart): PlannedRow<C>[] {
  const own = KernelSequence.of(host, sequence);
  own.check(ids);
  return ids.map((id, i) => ({ sequence: own, id, position: own.length + i, observer }));
}

function runStep<C extends KernelCache>(host: KernelHost<C>, points: number, rows: readonly PlannedRow<C>[]): void {
  host.forward(rows.map(({ sequence: { cache, capacity }, id, position }): StepRow<C> => ({ cache, capacity, id, position })));
  for (const { sequence } of rows) sequence.advance();

  for (const [i, { position, observer }] of rows.entries()) {
    for (let point = 0; observer.onResidual && point < points; point++) {
      observer.onResidual(position, point, host.residual(i, point), host.residualDigest?.bind(undefined, i, point));
    }
  }

  const wanted = [...rows.keys()].filter((i) => {
    const { position, observer } = rows[i]!;
    return observer.onLogits !== undefined && position >= (observer.logitsFrom ?? Infinity);
  });
  for (let at = 0; at < wanted.length; at += host.logitRows) {
    const some = wanted.slice(at, at + host.logitRows);
    host.logits(some);
    for (const [i, row] of some.entries()) rows[row]!.observer.onLogits!(rows[row]!.position, host.logitsAt(i));
  }
}
