import { sha256, toHex } from '@commonweight/protocol';
import type { Executor } from '../executor.ts';

/** SHA-256 over the int32 little-endian bytes of what an observer sees. */
export interface ForwardDigests {
  /** In order (position, commit point). */
  readonly residuals: readonly string[];
  /** In order of positions. */
  readonly logits: readonly string[];
}

/** Runs `ids` from position 0 and digests every residual vector and all logits. */
export function forwardDigests(executor: Executor, ids: readonly number[]): ForwardDigests {
  const residuals: string[] = [];
  const logits: string[] = [];
  const sequence = executor.newSequence(ids.length);
  executor.forward(sequence, ids, {
    logitsFrom: 0,
    onResidual: (_position, _point, residual) => residuals.push(digest(residual)),
    onLogits: (_position, values) => logits.push(digest(values)),
  });
  sequence.release();
  return { residuals, logits };
}

function digest(values: Int32Array): string {
  const bytes = new Uint8Array(4 * values.length);
  const view = new DataView(bytes.buffer);
  for (const [i, value] of values.entries()) view.setInt32(4 * i, value, true);
  return toHex(sha256(bytes));
}
