import { type Executor, type ForwardObserver, Sampler, type Sequence } from '@commonweight/engine';
import { nodeSha256 } from '@commonweight/engine/node';
import { ThinCommitment, residualDigest, samplerSettings } from '@commonweight/protocol';
import { now } from './clock.ts';

export const greedy = { sampler: samplerSettings(), prfKey: new Uint8Array(32), sha256: nodeSha256 };

/** One text that is generated step by step by somebody else's loop: with its sampler and its commitment, and with a clock on the latter. */
export class Stream {
  readonly sequence: Sequence;
  readonly observer: ForwardObserver;
  readonly commitment: ThinCommitment;
  /** To be run next. */
  ids: readonly number[];
  /** Milliseconds in hashing so far. */
  hashing = 0;

  constructor(executor: Executor, promptIds: readonly number[], tokens: number) {
    const sampler = new Sampler({ settings: greedy.sampler, prfKey: greedy.prfKey, promptIds });
    this.ids = promptIds;
    this.sequence = executor.newSequence(promptIds.length + tokens);
    this.commitment = new ThinCommitment(executor.manifest.graph.commitPoints.length, nodeSha256);
    this.observer = {
      logitsFrom: promptIds.length - 1,
      onResidual: (_position, _point, { buffer, byteOffset, byteLength }, digest) => {
        const start = now();
        this.commitment.append(digest?.() ?? residualDigest(new Uint8Array(buffer, byteOffset, byteLength), nodeSha256));
        this.hashing += now() - start;
      },
      onLogits: (_position, logits) => {
        const id = sampler.sample(logits);
        sampler.accept(id);
        this.ids = [id];
      },
    };
  }
}
