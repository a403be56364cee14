import {
  Submitter,
  connectChain,
  connectRpc,
  connectStaking,
  deployDevNetwork,
  generateKey,
  installDevContracts,
  receiptLogAbi,
  revenueSplitterAbi,
  settlementClient,
  startDevChain,
  testDollarAbi,
} from '@commonweight/chain';
import {
  type CanonicalRequest,
  type Hex32,
  MerkleTag,
  MerkleTree,
  REQUEST_VERSION,
  type Receipt,
  ZERO_HEX32,
  addressOfKey,
  fromHex,
  receiptDigest,
  requestDigest,
  requestHashOf,
  samplerSettings,
  sha256,
  signDigest,
  toHex,
  utf8,
} from '@commonweight/protocol';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeFunctionData } from 'viem';

const hash = (text: string): Hex32 => toHex(sha256(utf8(text)));
const DOLLAR = 1_000_000n;
const RECEIPTS = 10_000;

export interface RootAndRelease {
  /** Posting a batch of 10,000 receipts: by the operator, as a worker does, the first of a node and later ones; and by its session key, which is looked up. */
  readonly firstRoot: number;
  readonly root: number;
  readonly rootBySession: number;
  readonly receipts: number;
  /** Showing a receipt, and dividing what it covers between node, model's owner, auditors and treasury: the first time, and when all of them have been paid before. */
  readonly cover: number;
  readonly firstRelease: number;
  readonly release: number;
}

/** Gas of whole transactions on a development chain of its own: a registered and staked node, a published model, money that arrives at the splitter by plain transfer. */
export async function rootAndRelease(): Promise<RootAndRelease> {
  const folder = await mkdtemp(join(tmpdir(), 'commonweight-gas-'));
  const dev = await startDevChain({ dataDir: folder });
  try {
    const { rpcUrl, chainId, devAccount } = dev;
    const { privateKey } = devAccount;
    const { testDollar, fundDollars } = await installDevContracts({ rpcUrl, chainId, privateKey });
    const deployments = await deployDevNetwork({ rpcUrl, chainId, privateKey });
    const rpc = connectRpc(rpcUrl, chainId);
    const [operatorKey, sessionKey, payerKey] = [generateKey(), generateKey(), generateKey()];
    const [node, session, payer] = [operatorKey, sessionKey, payerKey].map(addressOfKey) as [`0x${string}`, `0x${string}`, `0x${string}`];
    for (const account of [node, session]) await dev.fund(account, 10n ** 19n);
    await fundDollars(payer, 100n * DOLLAR);
    await dev.fund(payer, 10n ** 18n);

    const modelId = hash('model');
    const owner = await connectChain({ rpcUrl, chainId, deployments, privateKey });
    const { domain } = owner;
    const manifestPointer = 'http://m';
    await owner.publishModel({ modelId, weightsRoot: hash('weights'), manifestPointer, cardDigest: hash('card'), cardPointer: 'http://c' });
    const operator = await connectChain({ rpcUrl, chainId, deployments, privateKey: operatorKey });
    const price = { modelId, asset: testDollar, promptPrice: DOLLAR, completionPrice: DOLLAR };
    await operator.registerNode({ sessionPrivateKey: sessionKey, endpoint: 'http://node', prices: [price] });
    await (await connectStaking({ rpcUrl, deployments, privateKey })).stake(node, 1000n * 10n ** 18n);

    const submitter = new Submitter({ rpc, privateKey: sessionKey });
    const operatorSubmitter = new Submitter({ rpc, privateKey: operatorKey });
    const settlement = settlementClient(rpc, deployments.settlement, submitter);
    const splitter = await settlement.splitterOf(node, modelId);
    const gasOf = async (hash_: Hex32): Promise<number> => Number((await rpc.client.getTransactionReceipt({ hash: hash_ })).gasUsed);
    const channel = hash('channel');

    /** The receipt of the `n`-th batch, among 9,999 others; it brings the account to `n + 1` dollars. */
    const settle = async (n: number, poster: Submitter) => {
      const cumulativeAmount = BigInt(n + 1) * DOLLAR;
      const terms = { node, payer, modelId, asset: testDollar, channel };
      const request: CanonicalRequest = {
        version: REQUEST_VERSION,
        ...terms,
        promptRoot: hash(`prompt ${n}`),
        promptTokens: 1,
        sampler: samplerSettings(),
        seed: `0x${'00'.repeat(16)}`,
        choice: 0,
        stopIds: [],
        maxTokens: 1,
        promptPrice: String(DOLLAR),
        completionPrice: String(DOLLAR),
        cumulativeLimit: String(cumulativeAmount),
        auditConsent: ZERO_HEX32,
      };
      const receipt: Receipt = {
        ...terms,
        requestHash: requestHashOf(request),
        idsRoot: hash('ids'),
        thinRoot: hash('thin'),
        promptTokens: 1,
        completionTokens: 0,
        finishReason: 'length',
        promptPrice: DOLLAR,
        completionPrice: DOLLAR,
        cumulativeAmount,
        batch: n,
        sequence: n,
        previous: ZERO_HEX32,
        issuedAt: 1_790_000_000,
      };
      const tree = new MerkleTree(MerkleTag.receipts);
      for (let i = 0; i < RECEIPTS - 1; i++) tree.append(fromHex(hash(`receipt ${n} ${i}`), 32));
      tree.append(fromHex(receiptDigest(receipt, domain), 32));
      const posting = [node, BigInt(n), toHex(tree.root()), RECEIPTS, hash('data')] as const;
      const data = encodeFunctionData({ abi: receiptLogAbi, functionName: 'post', args: posting });
      const posted = await poster.send({ to: deployments.receiptLog, data });
      const paid = encodeFunctionData({ abi: testDollarAbi, functionName: 'transfer', args: [splitter, DOLLAR] });
      await new Submitter({ rpc, privateKey: payerKey }).send({ to: testDollar, data: paid });
      const index = RECEIPTS - 1;
      const covered = await settlement.cover({
        receipt,
        cumulativeLimit: cumulativeAmount,
        requestSignature: signDigest(requestDigest(request, domain), payerKey),
        index,
        siblings: tree.proof(index).map(toHex),
      });
      const release = encodeFunctionData({ abi: revenueSplitterAbi, functionName: 'release', args: [testDollar] });
      const released = await submitter.send({ to: splitter, data: release });
      return { root: Number(posted.gasUsed), cover: await gasOf(covered), release: Number(released.gasUsed) };
    };

    const first = await settle(0, operatorSubmitter);
    const second = await settle(1, operatorSubmitter);
    const third = await settle(2, submitter);
    return {
      firstRoot: first.root,
      root: second.root,
      rootBySession: third.root,
      receipts: RECEIPTS,
      cover: second.cover,
      firstRelease: first.release,
      release: second.release,
    };
  } finally {
    await dev.stop();
    await rm(folder, { recursive: true, force: true });
  }
}
