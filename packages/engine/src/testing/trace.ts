import type { Executor } from '../executor.ts';
import { Xorshift } from './xorshift.ts';

/** Everything that an observer sees, as comparable text. */
export interface Trace {
  readonly residuals: string[];
  readonly logits: string[];
}

/** Runs `ids` in chunks of these lengths (the last one repeats) on a new sequence. */
export function traceOf(executor: Executor, ids: readonly number[], chunks: readonly number[], logitsFrom = 0): Trace {
  const trace: Trace = { residuals: [], logits: [] };
  const sequence = executor.newSequence(ids.length);
  for (let at = 0, i = 0; at < ids.length; i++) {
    const size = chunks[Math.min(i, chunks.length - 1)]!;
    executor.forward(sequence, ids.slice(at, at + size), {
      logitsFrom,
      onResidual: (position, point, residual) => trace.residuals.push(`${position}.${point}:${residual.join()}`),
      onLogits: (position, logits) => trace.logits.push(`${position}:${logits.join()}`),
    });
    at += size;
  }
  sequence.release();
  return trace;
}

export function randomIds(vocabulary: number, count: number, seed = 7): number[] {
  const random = new Xorshift(seed);
  return Array.from({ length: count }, () => random.integer(0, vocabulary - 1));
}
