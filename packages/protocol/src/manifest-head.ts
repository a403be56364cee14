import type { Hex32 } from './bytes.ts';

/** Bytes in which 64 files with the longest names fit. */
const HEAD_BYTES = 12_288;
const FILES = 64;
const file = String.raw`\{"name":"[a-z0-9_.]{1,64}","root":"0x[0-9a-f]{64}","size":(?:0|[1-9][0-9]{0,12})\}`;
const head = new RegExp(String.raw`^\{"files":\[(${file}(?:,${file}){0,${FILES - 1}})\],"generation":`);
const entry = /"name":"([^"]*)","root":"([^"]*)"/g;
const NO_HASH = `0x${'00'.repeat(32)}`;

/**
 * The weights root that the bytes of a manifest name, as the model registry reads it on chain (SPEC section 21.1, contracts/src/lib/ManifestHead.sol).
 * Only the list of files at the very beginning counts; whether the rest is a manifest is for `parseManifest`.
 * @returns undefined when the bytes do not begin like a manifest, or name no `weights.bin`, or two
 */
export function weightsRootOfManifest(bytes: Uint8Array): Hex32 | undefined {
  const text = new TextDecoder('latin1').decode(bytes.subarray(0, HEAD_BYTES));
  const list = head.exec(text)?.[1];
  if (list === undefined) return undefined;
  const files = [...list.matchAll(entry)].map(([, name, root]) => ({ name, root }));
  if (files.some(({ root }) => root === NO_HASH)) return undefined;
  const weights = files.filter(({ name }) => name === 'weights.bin');
  return weights.length === 1 ? (weights[0]!.root as Hex32) : undefined;
}
