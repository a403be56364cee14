import { type Hex, type ModelId, concatBytes, fromHex, uintBE, utf8 } from './bytes.ts';
import { canonicalize } from './jcs.ts';
import type { SamplerSettings } from './sampler-settings.ts';
import { sha256 } from './sha256.ts';

/**
 * Key of the sampling randomness (SPEC section 22): model, sampler, seed and choice index. Prompt, salts, limits, stop rules and
 * payment never enter, so the same request draws the same numbers on every node, after a retry and after a failover.
 */
export function prfKey(modelId: ModelId, sampler: SamplerSettings, seed: Hex, choice: number): Uint8Array {
  return sha256(
    concatBytes(
      utf8('commonweight/prf/1'),
      fromHex(modelId, 32),
      sha256(utf8(canonicalize(sampler))),
      fromHex(seed, 16),
      uintBE(choice, 4),
    ),
  );
}

/** The draw for the token at absolute position `position`: the first 8 bytes of SHA-256(key || u64 position), big-endian. */
export function prfDraw(key: Uint8Array, position: number): bigint {
  const digest = sha256(concatBytes(key, uintBE(position, 8)));
  let value = 0n;
  for (let i = 0; i < 8; i++) value = (value << 8n) | BigInt(digest[i]!);
  return value;
}
