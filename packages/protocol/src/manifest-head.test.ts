import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type Hex32, fromHex, toHex, utf8 } from './bytes.ts';
import { canonicalize } from './jcs.ts';
import { weightsRootOfManifest } from './manifest-head.ts';

const hex32 = fc
  .uint8Array({ minLength: 32, maxLength: 32 })
  .filter((bytes) => bytes.some((byte) => byte !== 0))
  .map((bytes) => toHex(bytes) as Hex32);
const name = fc.stringMatching(/^[a-z0-9_]{1,20}(?:\.[a-z0-9_]{1,20})?$/).filter((text) => text !== 'weights.bin');
const file = fc.record({ name, root: hex32, size: fc.integer({ min: 0, max: 2 ** 40 }) });
const bytesOf = (value: unknown): Uint8Array => utf8(canonicalize(value));
const rest = { generation: { topK: 0 }, graph: { layers: 2 }, spec: 'int-transformer/2', tensors: [] };

describe('the weights root of a manifest', () => {
  it('is that of weights.bin, wherever it stands', () =>
    fc.assert(
      fc.property(fc.array(file, { maxLength: 63 }), fc.nat(), hex32, (others, place, root) => {
        const files = others.toSpliced(place % (others.length + 1), 0, { name: 'weights.bin', root, size: 5 });
        expect(weightsRootOfManifest(bytesOf({ ...rest, files }))).toBe(root);
        expect(weightsRootOfManifest(bytesOf({ ...rest, files: others }))).toBeUndefined();
        expect(weightsRootOfManifest(bytesOf({ ...rest, files: [...files, { name: 'weights.bin', root, size: 5 }] }))).toBeUndefined();
      }),
    ));

  it('is never another than the one that a reader of JSON finds', () =>
    fc.assert(
      fc.property(
        fc.array(file, { maxLength: 2 }),
        hex32,
        fc.nat(),
        fc.nat(4),
        fc.string({ maxLength: 12 }),
        (others, root, at, cut, insert) => {
          const whole = canonicalize({ ...rest, files: [{ name: 'weights.bin', root, size: 5 }, ...others] });
          const from = at % whole.length;
          const text = `${whole.slice(0, from)}${insert}${whole.slice(from + cut)}`;
          const got = weightsRootOfManifest(utf8(text));
          let files: unknown;
          try {
            files = (JSON.parse(text) as { files?: unknown }).files;
          } catch {
            return; // no JSON: nobody can load it
          }
          const found = Array.isArray(files)
            ? (files as { name?: unknown; root?: unknown }[]).filter((entry) => entry?.name === 'weights.bin')
            : [];
          if (got !== undefined) expect(found).toMatchObject([{ root: got }]);
        },
      ),
      { numRuns: 2000 },
    ));

  it('is what the vectors say, which the contract reads too', () => {
    const { heads, roots } = JSON.parse(
      readFileSync(new URL('../../../conformance/manifest-heads/heads.json', import.meta.url), 'utf8'),
    ) as {
      heads: Hex32[];
      roots: Hex32[];
    };
    expect(heads.length).toBeGreaterThan(500);
    for (const [i, bytes] of heads.entries()) expect(weightsRootOfManifest(fromHex(bytes)) ?? `0x${'00'.repeat(32)}`).toBe(roots[i]);
  });
});
