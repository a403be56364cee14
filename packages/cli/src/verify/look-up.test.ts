import { type Address, type Hex32, ZERO_HEX32, addressOfKey, parseReceipt, receiptDigest, signDigest } from '@commonweight/protocol';
import { expect, it } from 'vitest';
import { lookUpNode, signedBy } from './look-up.ts';

const sessionKey = `0x${'22'.repeat(32)}` as Hex32;
const id = `0x${'33'.repeat(20)}` as Address;
const domain = { chainId: 31_337, verifyingContract: `0x${'c0'.repeat(20)}` as Address };
const hashes = Object.fromEntries(
  ['modelId', 'requestHash', 'idsRoot', 'thinRoot', 'channel', 'previous'].map((name) => [name, ZERO_HEX32]),
);
const counts = Object.fromEntries(['completionTokens', 'batch', 'sequence', 'issuedAt'].map((name) => [name, 0]));
const amounts = Object.fromEntries(['promptPrice', 'completionPrice', 'cumulativeAmount'].map((name) => [name, '0']));
const receipt = parseReceipt({
  ...hashes,
  ...counts,
  ...amounts,
  node: id,
  payer: id,
  asset: id,
  promptTokens: 1,
  finishReason: 'cancelled',
});
const signed = signedBy({ domain, receipt, signature: signDigest(receiptDigest(receipt, domain), sessionKey) });

/** A registry that the node has left. `owner`: whose key it was. */
const left = (owner: Address | undefined) => ({
  nodeInfo: async () => undefined,
  nodeOf: async (key: Address) => (key === addressOfKey(sessionKey) ? owner : undefined),
  minimumBond: async () => 1n,
});

it('a node that has left does not make its old receipts false, a key that was never its does', async () => {
  const remarks: string[] = [];
  expect(await lookUpNode(left(id), signed, remarks)).toBeUndefined();
  expect(remarks).toEqual([expect.stringMatching(/has left the network/)]);
  expect(await lookUpNode(left(undefined), signed, remarks)).toEqual({ registered: false });
  expect(remarks).toHaveLength(1);
});
