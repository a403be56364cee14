import { sampleToken } from '@commonweight/engine';
import { ThinCommitment, committedPositions, prfDraw, prfKey, residualDigest } from '@commonweight/protocol';
import { limits } from './limits.ts';
import type { TokenDifference } from './report.ts';
import type { VerifierModel, VerifyInput } from './subject.ts';

export interface Reexecution {
  readonly thin: ThinCommitment;
  /** Number of generated positions at which the sampler ran. */
  readonly sampled: number;
  readonly tokenDifference?: TokenDifference;
}

/**
 * Runs prompt and answer through the model as one prefill and the sampler at every generated position.
 * Returns undefined when `shouldStop` ended it.
 */
export function reexecute(
  { bundle, onProgress, shouldStop, sha256 }: VerifyInput,
  { manifest, executor }: VerifierModel,
): Reexecution | undefined {
  const { promptIds, completionIds, request } = bundle;
  const ids = [...promptIds, ...completionIds].slice(0, committedPositions(promptIds.length, completionIds.length));
  const key = prfKey(request.modelId, request.sampler, request.seed, request.choice);
  const thin = new ThinCommitment(manifest.graph.commitPoints.length, sha256);
  let sampled = 0;
  let tokenDifference: TokenDifference | undefined;

  const onLogits = (position: number, logits: Int32Array): void => {
    const index = position + 1 - promptIds.length;
    const claimed = completionIds[index];
    if (claimed === undefined) return;
    const id = sampleToken(logits, request.sampler, prfDraw(key, position + 1));
    sampled++;
    if (id !== claimed) tokenDifference ??= { position: position + 1, index, claimed, sampled: id };
  };
  const onResidual = (_position: number, _point: number, residual: Int32Array): void => {
    thin.append(residualDigest(littleEndian(residual), sha256));
  };

  const sequence = executor.newSequence(ids.length);
  try {
    for (let at = 0; at < ids.length; at += limits.progressPositions) {
      if (shouldStop?.()) return undefined;
      executor.forward(sequence, ids.slice(at, at + limits.progressPositions), { onResidual, onLogits, logitsFrom: promptIds.length - 1 });
      onProgress?.(Math.min(at + limits.progressPositions, ids.length), ids.length);
    }
  } finally {
    sequence.release();
  }
  return { thin, sampled, ...(tokenDifference && { tokenDifference }) };
}

/** The bytes that are hashed. */
function littleEndian(residual: Int32Array): Uint8Array {
  const bytes = new Uint8Array(4 * residual.length);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < residual.length; i++) view.setInt32(4 * i, residual[i]!, true);
  return bytes;
}
