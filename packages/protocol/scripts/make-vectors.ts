// Writes conformance/protocol/*.json: run with `npx tsx packages/protocol/scripts/make-vectors.ts`, then read the diff.
import { writeFileSync } from 'node:fs';
import {
  type Address,
  type CanonicalRequest,
  type Hex32,
  IdsCommitment,
  MerkleTag,
  MerkleTree,
  type Receipt,
  ThinCommitment,
  addressOfKey,
  auditConsentOf,
  canonicalize,
  endDigest,
  fromHex,
  prfDraw,
  prfKey,
  receiptDigest,
  receiptToJson,
  requestDigest,
  requestHashOf,
  residualDigest,
  signDigest,
  toHex,
} from '../src/index.ts';

const folder = new URL('../../../conformance/protocol/', import.meta.url);
const write = (name: string, value: unknown): void => writeFileSync(new URL(name, folder), `${JSON.stringify(value, null, 2)}\n`);
const hex32 = (byte: string): Hex32 => `0x${byte.repeat(32)}` as Hex32;
const address = (byte: string): Address => `0x${byte.repeat(20)}` as Address;

const trees = [0, 1, 2, 3, 5, 8, 13].map((count) => {
  const tree = new MerkleTree(MerkleTag.receipts);
  const leaves = Array.from({ length: count }, (_, i) => hex32((i + 1).toString(16).padStart(2, '0')));
  for (const leaf of leaves) tree.append(fromHex(leaf));
  return { tag: MerkleTag.receipts, leaves, root: toHex(tree.root()), proofs: leaves.map((_, index) => tree.proof(index).map(toHex)) };
});
write('merkle.json', trees);

const nonce = hex32('a1');
const promptIds = [1, 4093, 198, 49_151];
const completionIds = [7042, 30, 2];
const ids = new IdsCommitment(fromHex(nonce), [...promptIds, ...completionIds]);
const residual = new Int32Array(576).map((_, i) => (i % 2 ? -1 : 1) * i * 3_700_000);
const thin = new ThinCommitment(2);
for (let i = 0; i < 12; i++) thin.append(new Uint8Array(32).fill(i));
write('commitments.json', {
  ids: { nonce, promptIds, completionIds, promptRoot: toHex(ids.root(promptIds.length)), idsRoot: toHex(ids.root()) },
  residual: { values: [...residual], digest: toHex(residualDigest(new Uint8Array(residual.buffer))) },
  thin: {
    points: 2,
    digests: toHex(thin.bytes()),
    roots: [1, 2, 3, 4, 5, 6].map((positions) => ({ positions, root: toHex(thin.root(positions)) })),
  },
});

const key = hex32('4c');
const payer = addressOfKey(key);
const domain = { chainId: 31_337, verifyingContract: address('c0') };
const request: CanonicalRequest = {
  version: 'commonweight/request/1',
  modelId: hex32('03'),
  promptRoot: toHex(ids.root(promptIds.length)),
  promptTokens: promptIds.length,
  sampler: { temperature: 800_000, topK: 40, topP: 950_000 },
  seed: '0x000102030405060708090a0b0c0d0e0f',
  choice: 0,
  stopIds: [0, 2],
  maxTokens: 64,
  node: address('01'),
  payer,
  channel: hex32('00'),
  asset: address('00'),
  promptPrice: '12',
  completionPrice: '1000000000000000000',
  auditConsent: auditConsentOf(hex32('b2'), true),
};
const requestHash = requestHashOf(request);
const prf = prfKey(request.modelId, request.sampler, request.seed, request.choice);
const receipt: Receipt = {
  node: address('01'),
  payer,
  modelId: request.modelId,
  requestHash,
  idsRoot: toHex(ids.root()),
  thinRoot: toHex(thin.root()),
  promptTokens: 4,
  completionTokens: 3,
  finishReason: 'stop_id',
  promptPrice: 12n,
  completionPrice: 10n ** 18n,
  asset: address('00'),
  cumulativeAmount: 3_000_000_000_001n,
  channel: hex32('00'),
  batch: 9,
  sequence: 10,
  previous: hex32('0b'),
  issuedAt: 1_790_000_000,
};
const end = { requestHash, completionTokens: 3, reason: 'stop_string' } as const;
const signed = (digest: Hex32) => ({ digest, signature: signDigest(digest, key) });
write('request.json', {
  domain,
  request,
  canonical: canonicalize(request),
  requestHash,
  auditSalt: hex32('b2'),
  prfKey: toHex(prf),
  draws: [0, 1, 4, 131_071].map((position) => ({ position, draw: String(prfDraw(prf, position)) })),
  signer: payer,
  ...signed(requestDigest(requestHash, domain)),
});
write('receipt.json', { domain, receipt: receiptToJson(receipt), signer: payer, ...signed(receiptDigest(receipt, domain)) });
write('end.json', { domain, end, signer: payer, ...signed(endDigest(end, domain)) });
