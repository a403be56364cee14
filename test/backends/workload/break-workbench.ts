import type { Executor, ForwardObserver } from '@commonweight/engine';
import type { Workbench } from './run-item.ts';

/** Position and place of the one bit that {@link breakWorkbench} flips. */
const BROKEN_POSITION = 30;

/**
 * The workbench with one wrong bit now and then: the lowest bit of one residual at position 30, and of the largest square roots.
 * Shows that the comparison can fail.
 */
export function breakWorkbench(bench: Workbench): Workbench {
  const { operations } = bench;
  return {
    executorOf: (model) => breakExecutor(bench.executorOf(model)),
    operations: operations && { ...operations, isqrt: (n) => operations.isqrt(n) ^ (n >> 61n) },
  };
}

const breakExecutor = (executor: Executor): Executor => ({
  ...executor,
  forward: (sequence, ids, observer = {}) => executor.forward(sequence, ids, breakObserver(observer)),
});

const breakObserver = (observer: ForwardObserver): ForwardObserver => ({
  ...observer,
  onResidual: (position, point, residual) => {
    const copy = residual.slice();
    if (position === BROKEN_POSITION && point === 0) copy[0]! ^= 1;
    observer.onResidual?.(position, point, copy);
  },
});
