import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Chain } from '@commonweight/chain';
import { createWasmExecutor } from '@commonweight/engine';
import { loadEngineWasm, nodeSha256 } from '@commonweight/engine/node';
import { openPackage } from '@commonweight/models';
import { type Bundle, type Hex32, fromHex, receiptDigest } from '@commonweight/protocol';
import {
  type ByzantineStrategy,
  type RoleProcess,
  type TestNetwork,
  byzantineStrategies,
  requireRealModel,
  startTestNetwork,
} from '@commonweight/testkit';
import {
  type ChainFacts,
  type Report,
  type SavedAnswer,
  type StepId,
  type VerifierModel,
  formatReport,
  readSaved,
  replay,
  verifyBundle,
} from '@commonweight/verifier';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const found = await requireRealModel();
const cliScript = fileURLToPath(new URL('../../packages/cli/bin/commonweight.js', import.meta.url));

const question = 'Tell me about the moon in one sentence.';
const randomly = { temperature: 1.2, seed: 7 };

interface Answer {
  readonly status: number;
  readonly body: string;
}

async function ask(gateway: RoleProcess, node: string, sampling: object): Promise<Answer> {
  const response = await fetch(new URL('/v1/chat/completions', gateway.url), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      model: 'smollm2-135m-instruct',
      messages: [{ role: 'user', content: question }],
      max_tokens: 12,
      provider: { only: [node] },
      ...sampling,
    }),
  });
  return { status: response.status, body: await response.text() };
}

async function loadModel(packageDir: string): Promise<VerifierModel> {
  const model = await openPackage(packageDir);
  try {
    const tokenizer = model.tokenizer();
    const executor = createWasmExecutor(model.manifest, model.weights(), loadEngineWasm());
    return { manifest: model.manifest, executor, decode: (ids) => tokenizer.decode(ids) };
  } finally {
    await model.close();
  }
}

interface ReceiptBody {
  readonly status: string;
  readonly proof: { readonly index: number; readonly count: number; readonly siblings: readonly Hex32[] };
}

/** What anybody can look up on chain about a receipt; the proof comes from the gateway. */
async function factsOf(chain: Chain, { receipt }: Bundle, { siblings, ...place }: ReceiptBody['proof']): Promise<ChainFacts> {
  const node = (await chain.nodeInfo(receipt.node))!;
  const batch = (await chain.batch(receipt.node, receipt.batch))!;
  const proof = { ...place, siblings: siblings.map((sibling) => fromHex(sibling, 32)) };
  return {
    chainId: chain.chainId,
    receiptLog: chain.deployments.receiptLog,
    node: { registered: true, sessionKey: node.sessionKey, bond: node.bond, minimumBond: await chain.minimumBond() },
    model: { registered: (await chain.modelInfo(receipt.modelId)) !== undefined },
    batch: { posted: true, root: batch.root, count: batch.count, proof },
  };
}

const failedSteps = (report: Report): StepId[] => report.steps.filter(({ status }) => status === 'failed').map(({ id }) => id);

describe.skipIf('reason' in found)(`lying workers and an honest one${'reason' in found ? ` (${found.reason})` : ''}`, () => {
  let dataDir: string;
  let network: TestNetwork;
  let gateway: RoleProcess;
  let model: VerifierModel;

  beforeAll(async () => {
    if ('reason' in found) return;
    dataDir = mkdtempSync(join(tmpdir(), 'commonweight-liars-'));
    network = await startTestNetwork({ dataDir, packageDir: found.dir, cliScript });
    gateway = await network.startGateway();
    model = await loadModel(found.dir);
  });

  afterAll(async () => {
    await network?.[Symbol.asyncDispose]();
    if (dataDir) rmSync(dataDir, { recursive: true, force: true });
  });

  const answerIn = (text: string): SavedAnswer => {
    const saved = readSaved(text);
    if ('partial' in saved) throw new Error('expected a whole answer');
    return saved;
  };

  const check = (text: string): Report => {
    const { bundle, answerText } = answerIn(text);
    return verifyBundle({ bundle, model, sha256: nodeSha256, ...(answerText !== undefined && { answerText }) });
  };

  const summary = (text: string): Pick<Report, 'verdict'> & { failed: StepId[]; node: string } => {
    const report = check(text);
    return { verdict: report.verdict, failed: failedSteps(report), node: report.receipt.node };
  };

  async function askLiar(strategy: ByzantineStrategy): Promise<Answer & { node: string }> {
    const liar = await network.startLiar(strategy);
    const answer = await ask(gateway, liar.nodeId!, randomly);
    await liar.stop();
    return { ...answer, node: liar.nodeId! };
  }

  it('the honest node is verified, and replayed to the same text', async () => {
    const { nodeId, stop } = await network.startWorker('honest');
    for (const sampling of [randomly, { temperature: 0 }]) {
      const answer = await ask(gateway, nodeId!, sampling);
      expect(answer).toMatchObject({ status: 200 });
      expect(summary(answer.body)).toEqual({ verdict: 'verified', failed: [], node: nodeId });
      const { bundle, answerText } = answerIn(answer.body);
      expect(replay({ bundle, model }).text).toBe(answerText);
    }
    await stop();
  });

  it('an honest receipt goes on chain, and every step of its verification passes', async () => {
    const { nodeId, stop } = await network.startWorker('posted');
    const { body } = await ask(gateway, nodeId!, randomly);
    const { bundle, answerText } = answerIn(body);
    const receipt = new URL(`/v1/receipts/${receiptDigest(bundle.receipt, bundle.domain)}`, gateway.url);
    const read = async (): Promise<ReceiptBody> => (await (await fetch(receipt)).json()) as ReceiptBody;
    await expect.poll(async () => (await read()).status, { timeout: 10_000, interval: 250 }).toBe('posted');
    const chain = await factsOf(network.chain, bundle, (await read()).proof);
    await stop();
    const report = verifyBundle({ bundle, answerText: answerText!, model, chain, sha256: nodeSha256 });
    expect(report.steps.filter(({ status }) => status !== 'passed').map(({ id }) => id)).toEqual(['end']);
    expect(report).toMatchObject({ verdict: 'verified', notChecked: [] });
  });

  it('tampered-model passes the gateway; the first differing position and commit point are named', async () => {
    const answer = await askLiar('tampered-model');
    expect(answer).toMatchObject({ status: 200 });
    const report = check(answer.body);
    expect(report.verdict).toBe('refuted');
    expect(failedSteps(report)).toContain('execution');
    // the tampered layer is the middle one: the next commit point is the first that differs, from the first position on
    const { layers, commitPoints } = model.manifest.graph;
    const commitPoint = commitPoints.findIndex((layer) => layer >= Math.floor(layers / 2));
    expect(report.placeDifference).toMatchObject({ position: 0, commitPoint, layer: commitPoints[commitPoint] });
    expect(formatReport(report)).toContain(`First differing place: position 0, commit point ${commitPoint}`);
  });

  it.each<[ByzantineStrategy, readonly StepId[]]>([
    ['edit-token', ['tokens', 'execution']],
    ['early-stop', ['tokens']],
    ['other-prompt', ['tokens', 'execution']],
    ['other-seed', ['tokens']],
    ['other-temperature', ['tokens']],
    // the subtle one: nothing but the sampler gives it away
    ['tampered-then-prefill', ['tokens']],
  ])('%s passes the gateway and is refuted by re-execution', async (strategy, failed) => {
    const answer = await askLiar(strategy);
    expect(answer).toMatchObject({ status: 200 });
    expect(summary(answer.body)).toEqual({ verdict: 'refuted', failed, node: answer.node });
  });

  it.each<[ByzantineStrategy, readonly StepId[]]>([
    ['shorten-answer', ['stop']],
    ['over-count', ['counts']],
  ])('%s is refused by the gateway, and its evidence is refuted', async (strategy, failed) => {
    const answer = await askLiar(strategy);
    expect(answer).toMatchObject({ status: 502 });
    expect(JSON.parse(answer.body)).toMatchObject({ error: { code: 'receipt_invalid' } });
    expect(summary(refusalOf(answer.node))).toEqual({ verdict: 'refuted', failed, node: answer.node });
  });

  // `break-off` leaves no receipt: broken-stream.test.ts
  it('leaves no strategy out', () => {
    expect(Object.keys(byzantineStrategies)).toHaveLength(10);
  });

  /** The evidence that the gateway kept of a refused answer. */
  function refusalOf(node: string): string {
    const folder = join(network.gatewayDir, 'refused');
    const files = readdirSync(folder).filter((name) => name.includes(node));
    expect(files).toHaveLength(1);
    return readFileSync(join(folder, files[0]!), 'utf8');
  }
});
