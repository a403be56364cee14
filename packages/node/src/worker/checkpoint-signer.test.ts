import { type Address, addressOfKey, checkpointFault, signDigest, streamHead, toHex, utf8, sha256 } from '@commonweight/protocol';
import { expect, test } from 'vitest';
import { CheckpointSigner } from './checkpoint-signer.ts';

const hex = (name: string) => toHex(sha256(utf8(name)));
const domain = { chainId: 31_337, verifyingContract: `0x${'c0'.repeat(20)}` as Address };

test('a checkpoint after the first token and after every sixteenth, over exactly the tokens so far', () => {
  const [requestHash, nonce, key] = [hex('request'), hex('nonce'), hex('session')];
  const signer = new CheckpointSigner({ requestHash, nonce, domain, sign: (digest) => signDigest(digest, key) });
  const ids = Array.from({ length: 40 }, (_, i) => (i * 977) % 300);
  const frames = ids.map((id) => signer.token(id));
  expect(frames.flatMap((frame, i) => (frame ? [[i + 1, frame.completionTokens]] : []))).toEqual([
    [1, 1],
    [16, 16],
    [32, 32],
  ]);
  for (const frame of frames) {
    if (!frame) continue;
    const { completionTokens, head, signature } = frame;
    const expected = { requestHash, completionTokens, head: streamHead(requestHash, nonce, ids.slice(0, completionTokens)) };
    expect(checkpointFault({ checkpoint: { requestHash, completionTokens, head }, signature }, expected, domain, addressOfKey(key))).toBe(
      undefined,
    );
  }
});
