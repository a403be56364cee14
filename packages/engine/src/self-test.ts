import { CommonweightError, type Manifest, type Sha256, concatBytes, sha256 as defaultSha256, toHex } from '@commonweight/protocol';
import type { Executor, WeightsSource } from './executor.ts';
import { littleEndianBytes } from './little-endian-bytes.ts';
import { type TinyModelOptions, buildTinyModel } from './testing/tiny-model.ts';
import { Xorshift } from './testing/xorshift.ts';

/** Between them: padding of every kind, int32 blocks that are added in int64, saturation, narrow activations, an untied head, biases, norms of heads. */
const MODELS: readonly TinyModelOptions[] = [
  { layers: 2, width: 72, heads: 6, kvHeads: 2, headDimension: 10, ffnWidth: 2100, vocabulary: 101 },
  {
    layers: 1,
    width: 48,
    heads: 2,
    kvHeads: 1,
    headDimension: 64,
    ffnWidth: 70,
    vocabulary: 61,
    head: 'untied',
    gain: 16,
    activationBits: 8,
  },
  { layers: 1, width: 40, heads: 3, kvHeads: 1, headDimension: 22, ffnWidth: 70, vocabulary: 61, qkvBias: true, qkNorm: true },
];
/** Lengths of the pieces that ids are run in: an even and an odd chunk of prefill, then decode. */
const PIECES = [34, 5, 1, 1];

/** {@link selfTestDigest} of the reference executor; self-test.test.ts computes it again. */
export const SELF_TEST_DIGEST = '0xcd72329d95d37afeb4b6cf48308a7472281f100a2397cb813039beb896cf60c0';

/**
 * Known-answer test of a back end on this machine, some 100 ms. Whoever creates an executor runs it first and serves nothing when it throws.
 * @param create - makes an executor the way the real one is made, from the same compiled engine
 */
export function selfTest(create: (manifest: Manifest, weights: WeightsSource) => Executor, sha256: Sha256 = defaultSha256): void {
  const got = selfTestDigest(create, sha256);
  if (got !== SELF_TEST_DIGEST) {
    throw new CommonweightError(
      `self-test: expected ${SELF_TEST_DIGEST}, got ${got}; this machine or this engine computes wrong results and must not serve`,
      { code: 'self-test', action: 'stop', details: { expected: SELF_TEST_DIGEST, got } },
    );
  }
}

/** Hash of all residual streams at commit points and of all logits of fixed ids through fixed models. */
export function selfTestDigest(create: (manifest: Manifest, weights: WeightsSource) => Executor, sha256: Sha256 = defaultSha256): string {
  // Two chains: a back end may show a chunk's residuals before its logits.
  const residuals = new HashChain(sha256);
  const logits = new HashChain(sha256);
  for (const options of MODELS) {
    const { manifest, source } = buildTinyModel(options, sha256);
    const executor = create(manifest, source);
    const random = new Xorshift(11);
    const sequence = executor.newSequence(PIECES.reduce((a, b) => a + b));
    for (const piece of PIECES) {
      const ids = Array.from({ length: piece }, () => random.integer(0, manifest.graph.vocabulary - 1));
      executor.forward(sequence, ids, {
        logitsFrom: 0,
        onResidual: (_position, _point, residual) => residuals.absorb(residual),
        onLogits: (_position, values) => logits.absorb(values),
      });
    }
    sequence.release();
    executor.close();
  }
  return toHex(sha256(concatBytes(residuals.digest, logits.digest)));
}

class HashChain {
  digest: Uint8Array = new Uint8Array(32);
  readonly #sha256: Sha256;

  constructor(sha256: Sha256) {
    this.#sha256 = sha256;
  }

  absorb(values: Int32Array): void {
    this.digest = this.#sha256(concatBytes(this.digest, littleEndianBytes(values)));
  }
}
