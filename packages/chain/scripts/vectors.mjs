// Writes conformance/merkle, conformance/manifest-heads and conformance/eip712 from the TypeScript of packages/protocol; contracts/test/differential reads them.
// `--check` writes nothing and fails when a committed file differs.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import {
  MerkleTag,
  MerkleTree,
  REQUEST_VERSION,
  accountKey,
  fromHex,
  receiptDigest,
  requestDigest,
  requestHashOf,
  samplerSettings,
  sha256,
  toHex,
  utf8,
  verifyInclusion,
} from '../../protocol/dist/index.js';
import { sessionKeyDigest } from '../dist/index.js';
import { manifestHeads } from './manifest-heads.mjs';

const hash = (text) => toHex(sha256(utf8(text)));
const address = (text) => hash(text).slice(0, 42);
const tag = MerkleTag.receipts;

const leaves = Array.from({ length: 40 }, (_, i) => hash(`leaf ${i}`));
const treeOf = (count) => {
  const tree = new MerkleTree(tag);
  leaves.slice(0, count).forEach((leaf) => tree.append(fromHex(leaf)));
  return tree;
};
const roots = { tag, leaves, rootsOfPrefixes: leaves.map((_, i) => toHex(treeOf(i + 1).root())) };

const inclusionCase = (change) => (count, index) => {
  const tree = treeOf(count);
  const right = { tag, count, index, leaf: leaves[index], siblings: tree.proof(index).map(toHex), root: toHex(tree.root()) };
  const made = { ...right, ...change(right) };
  const proof = { index: made.index, count: made.count, siblings: made.siblings.map((sibling) => fromHex(sibling)) };
  return { ...made, included: verifyInclusion(made.tag, fromHex(made.leaf), proof, fromHex(made.root)) };
};
const shapes = [1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17, 31, 33].flatMap((count) =>
  [...new Set([0, count >> 1, count - 1])].map((index) => [count, index]),
);
const changes = [
  () => ({}),
  ({ leaf }) => ({ leaf: hash(leaf) }),
  ({ siblings }) => ({ siblings: [...siblings, hash('one too many')] }),
  ({ siblings }) => ({ siblings: siblings.slice(1) }),
  ({ count }) => ({ count: count + 1 }),
  ({ count }) => ({ index: count }),
  () => ({ tag: MerkleTag.ids }),
];
const inclusion = changes.flatMap((change) => shapes.map(([count, index]) => inclusionCase(change)(count, index)));

const reasons = ['stop_id', 'length', 'stop_string', 'cancelled'];
const receiptCase = (i, big) => {
  const domain = { chainId: 31_337 + i, verifyingContract: address(`log ${i}`) };
  const receipt = {
    node: address(`node ${i}`),
    payer: address(`payer ${i}`),
    modelId: hash(`model ${i}`),
    requestHash: hash(`request ${i}`),
    idsRoot: hash(`ids ${i}`),
    thinRoot: hash(`thin ${i}`),
    promptTokens: big ? 2 ** 17 : 31 + i,
    completionTokens: big ? 2 ** 32 - 1 : i,
    finishReason: reasons[i % 4],
    promptPrice: big ? (1n << 256n) - 1n : BigInt(i),
    completionPrice: big ? 1n << 255n : 0n,
    asset: address(`asset ${i}`),
    cumulativeAmount: big ? 10n ** 70n : BigInt(i) * 1000n,
    channel: hash(`channel ${i}`),
    batch: big ? Number.MAX_SAFE_INTEGER : i,
    sequence: i,
    previous: i === 0 ? `0x${'00'.repeat(32)}` : hash(`receipt ${i - 1}`),
    issuedAt: 1_790_000_000 + i,
  };
  const wire = {
    ...receipt,
    finishReason: i % 4,
    promptPrice: String(receipt.promptPrice),
    completionPrice: String(receipt.completionPrice),
    cumulativeAmount: String(receipt.cumulativeAmount),
  };
  return { ...domain, receipt: wire, digest: receiptDigest(receipt, domain) };
};
const receipts = [0, 1, 2, 3, 4].map((i) => receiptCase(i, i === 4));

const requestCase = (i) => {
  const domain = { chainId: 31_337 + i, verifyingContract: address(`log ${i}`) };
  const request = {
    version: REQUEST_VERSION,
    modelId: hash(`model ${i}`),
    promptRoot: hash(`prompt ${i}`),
    promptTokens: 31 + i,
    sampler: samplerSettings({ temperature: 10_000 * (i + 1) }),
    seed: hash(`seed ${i}`).slice(0, 34),
    choice: i,
    stopIds: [i],
    maxTokens: 16,
    node: address(`node ${i}`),
    payer: address(`payer ${i}`),
    channel: hash(`channel ${i}`),
    asset: address(`asset ${i}`),
    promptPrice: String(i),
    completionPrice: '1',
    cumulativeLimit: String([0n, 1n, 10n ** 30n, (1n << 256n) - 1n][i]),
    auditConsent: hash(`consent ${i}`),
  };
  return {
    ...domain,
    request,
    requestHash: requestHashOf(request),
    accountKey: accountKey(request),
    digest: requestDigest(request, domain),
  };
};
const requests = [0, 1, 2, 3].map(requestCase);

const sessionKeys = [0, 1, 2].map((i) => {
  const domain = { chainId: 10 ** i, nodeRegistry: address(`registry ${i}`) };
  const operator = address(`operator ${i}`);
  return { ...domain, operator, digest: sessionKeyDigest(operator, domain) };
});

const list = (cases) => ({ caseCount: cases.length, cases });
const files = {
  'merkle/roots.json': roots,
  'merkle/inclusion.json': list(inclusion),
  'manifest-heads/heads.json': manifestHeads(),
  'eip712/receipts.json': list(receipts),
  'eip712/requests.json': list(requests),
  'eip712/session-keys.json': list(sessionKeys),
};
const stale = [];
for (const [name, value] of Object.entries(files)) {
  const file = new URL(`../../../conformance/${name}`, import.meta.url);
  const text = `${JSON.stringify(value, undefined, 1)}\n`;
  if (process.argv.includes('--check')) {
    if (readFileSync(file, 'utf8') !== text) stale.push(name);
  } else {
    mkdirSync(new URL('.', file), { recursive: true });
    writeFileSync(file, text);
  }
}
if (stale.length > 0) {
  console.error(`conformance files differ from the code: ${stale.join(', ')}; run node packages/chain/scripts/vectors.mjs`);
  process.exitCode = 1;
}
