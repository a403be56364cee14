import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { sha256 } from './sha256.ts';
import { nodeSha256 } from './sha256.node.ts';

it('is the same function by either implementation', () => {
  for (const length of [0, 1, 42, 55, 56, 64, 65, 1026, 100_000]) {
    const data = Uint8Array.from({ length }, (_, i) => (i * 89 + length) & 255);
    const expected = new Uint8Array(createHash('sha256').update(data).digest());
    expect(nodeSha256(data)).toEqual(expected);
    expect(sha256(data)).toEqual(expected);
  }
});
