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
  PARTIAL_VERSION,
  REQUEST_VERSION,
  accountKey,
  addressOfKey,
  auditConsentOf,
  canonicalize,
  checkpointDigest,
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
  streamHead,
  toHex,
  samplerSettings,
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
  version: REQUEST_VERSION,
  modelId: hex32('03'),
  promptRoot: toHex(ids.root(promptIds.length)),
  promptTokens: promptIds.length,
  sampler: samplerSettings({
    temperature: 800_000,
    topK: 40,
    topP: 950_000,
    minP: 20_000,
    repetitionPenalty: 1_100_000,
    presencePenalty: -500_000,
    frequencyPenalty: 250_000,
    logitBias: [
      [0, -100_000_000],
      [49_151, 1_500_000],
    ],
  }),
  seed: '0x000102030405060708090a0b0c0d0e0f',
  choice: 0,
  stopIds: [0, 2],
  maxTokens: 64,
  node: address('01'),
  payer,
  channel: hex32('0c'),
  asset: address('0a'),
  promptPrice: '12',
  completionPrice: '1000000000000000000',
  cumulativeLimit: '67000000000001',
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
  asset: address('0a'),
  cumulativeAmount: 3_000_000_000_001n,
  channel: hex32('0c'),
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
  accountKey: accountKey(request),
  auditSalt: hex32('b2'),
  prfKey: toHex(prf),
  draws: [0, 1, 4, 131_071].map((position) => ({ position, draw: String(prfDraw(prf, position)) })),
  signer: payer,
  ...signed(requestDigest(request, domain)),
});
write('receipt.json', { domain, receipt: receiptToJson(receipt), signer: payer, ...signed(receiptDigest(receipt, domain)) });
write('end.json', { domain, end, signer: payer, ...signed(endDigest(end, domain)) });

const good = samplerSettings({ temperature: 700_000 });
const { minP: _, ...withoutMinP } = good;
const bias = (...logitBias: unknown[]) => ({ ...good, logitBias });
write('sampler_fail.json', [
  { why: 'an unknown setting', field: 'sampler.typicalP', sampler: { ...good, typicalP: 1 } },
  { why: 'a setting that is not there', field: 'sampler.minP', sampler: withoutMinP },
  { why: 'a temperature between greedy and 0.01', field: 'sampler.temperature', sampler: { ...good, temperature: 9_999 } },
  { why: 'a temperature above 100', field: 'sampler.temperature', sampler: { ...good, temperature: 100_000_001 } },
  { why: 'a negative top-k', field: 'sampler.topK', sampler: { ...good, topK: -1 } },
  { why: 'a top-p of nothing', field: 'sampler.topP', sampler: { ...good, topP: 0 } },
  { why: 'a fraction', field: 'sampler.topP', sampler: { ...good, topP: 0.5 } },
  { why: 'a min-p above 1', field: 'sampler.minP', sampler: { ...good, minP: 1_000_001 } },
  { why: 'a repetition penalty of 0', field: 'sampler.repetitionPenalty', sampler: { ...good, repetitionPenalty: 0 } },
  { why: 'a repetition penalty above 2', field: 'sampler.repetitionPenalty', sampler: { ...good, repetitionPenalty: 2_000_001 } },
  { why: 'a presence penalty above 2', field: 'sampler.presencePenalty', sampler: { ...good, presencePenalty: 2_000_001 } },
  { why: 'a frequency penalty below -2', field: 'sampler.frequencyPenalty', sampler: { ...good, frequencyPenalty: -2_000_001 } },
  { why: 'a bias as an object', field: 'sampler.logitBias', sampler: { ...good, logitBias: { '5': 1 } } },
  { why: 'a bias without a value', field: 'sampler.logitBias[0]', sampler: bias([5]) },
  { why: 'a bias of 0', field: 'sampler.logitBias[0]', sampler: bias([5, 0]) },
  { why: 'a bias above 100', field: 'sampler.logitBias[0].bias', sampler: bias([5, 100_000_001]) },
  { why: 'a negative id', field: 'sampler.logitBias[0].id', sampler: bias([-1, 1]) },
  { why: 'an id twice', field: 'sampler.logitBias[1]', sampler: bias([5, 1], [5, 1]) },
  { why: 'ids that fall', field: 'sampler.logitBias[1]', sampler: bias([5, 1], [4, 1]) },
  { why: 'a grammar without rules', field: 'sampler.grammar.rules', sampler: { ...good, grammar: { rules: [] } } },
  {
    why: 'a grammar that is left-recursive',
    field: 'sampler.grammar.rules[0]',
    sampler: { ...good, grammar: { rules: [[[0, '=x'], []]] } },
  },
  { why: 'a grammar without texts', field: 'sampler.grammar.rules[0]', sampler: { ...good, grammar: { rules: [[['=x', 0]]] } } },
  { why: 'ranges that touch', field: 'sampler.grammar.rules[0][0][0]', sampler: { ...good, grammar: { rules: [[['~30313240']]] } } },
  { why: 'too many ids', field: 'sampler.logitBias', sampler: bias(...Array.from({ length: 1025 }, (_unused, id) => [id, 1])) },
]);
// A stream of 18 tokens: checkpoints after the first and the sixteenth.
const streamIds = Array.from({ length: 18 }, (_, i) => (i * 7919) % 49_152);
const headOf = (count: number): Hex32 => streamHead(requestHash, nonce, streamIds.slice(0, count));
const sessionKey = hex32('5e');
const node = addressOfKey(sessionKey);
const checkpointOf = (count: number) => ({ requestHash, completionTokens: count, head: headOf(count) });
const signCheckpoint = (checkpoint: ReturnType<typeof checkpointOf>, by: Hex32 = sessionKey) => ({
  checkpoint,
  signature: signDigest(checkpointDigest(checkpoint, domain), by),
});
const sixteenth = checkpointOf(16);
write('checkpoint.json', {
  domain,
  requestHash,
  nonce,
  ids: streamIds,
  heads: [0, 1, 2, 15, 16, 17, 18].map((count) => ({ count, head: headOf(count) })),
  due: [1, 16],
  ...signCheckpoint(sixteenth),
  digest: checkpointDigest(sixteenth, domain),
  signer: node,
});
const otherIds = streamIds.with(4, 4);
write('checkpoint_fail.json', {
  domain,
  requestHash,
  nonce,
  ids: streamIds.slice(0, 16),
  sessionKey: node,
  cases: [
    { name: 'signed by another key', reason: 'signature', ...signCheckpoint(sixteenth, key) },
    {
      name: 'signature over another head',
      reason: 'signature',
      checkpoint: sixteenth,
      signature: signCheckpoint(checkpointOf(1)).signature,
    },
    { name: 'of another request', reason: 'request_hash', ...signCheckpoint({ ...sixteenth, requestHash: hex32('04') }) },
    { name: 'after token 15', reason: 'not_due', ...signCheckpoint(checkpointOf(15)) },
    { name: 'after token 17', reason: 'not_due', ...signCheckpoint(checkpointOf(17)) },
    { name: 'late: after token 1', reason: 'count', ...signCheckpoint(checkpointOf(1)) },
    { name: 'early: after token 32', reason: 'count', ...signCheckpoint({ ...sixteenth, completionTokens: 32 }) },
    {
      name: 'over other ids',
      reason: 'head',
      ...signCheckpoint({ ...sixteenth, head: streamHead(requestHash, nonce, otherIds.slice(0, 16)) }),
    },
    {
      name: 'over the ids without the nonce of this request',
      reason: 'head',
      ...signCheckpoint({ ...sixteenth, head: streamHead(requestHash, hex32('00'), streamIds.slice(0, 16)) }),
    },
  ],
});
write('partial.json', {
  version: PARTIAL_VERSION,
  domain,
  request,
  requestSignature: signDigest(requestDigest(request, domain), key),
  nonce,
  auditSalt: hex32('b2'),
  auditConsent: true,
  promptIds,
  completionIds: streamIds.slice(0, 16),
  ...signCheckpoint(sixteenth),
});
