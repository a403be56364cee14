import { type Chain, connectChain, readDeployments } from '@commonweight/chain';
import {
  type Address,
  type Bundle,
  type InclusionProof,
  type PartialBundle,
  Fields,
  checkpointDigest,
  fromHex,
  limits as protocolLimits,
  receiptDigest,
  recoverSigner,
} from '@commonweight/protocol';
import type { BatchFacts, ChainFacts, NodeFacts } from '@commonweight/verifier';
import type { Layout } from '../dev/layout.ts';
import { readNetworkFile } from '../dev/network-file.ts';
import { explain } from '../fault.ts';
import { getJson } from '../platform/http.ts';

export interface LookUp {
  readonly facts?: ChainFacts;
  /** Why something could not be looked up: shown to the user. */
  readonly remarks: readonly string[];
}

/**
 * Asks the chain of the user's own network (or the RPC URL that he named) about a receipt, or about the node of a checkpoint. No URL out of the file is ever asked.
 * What cannot be had is left out, and the report says so.
 */
export async function lookUp(bundle: Bundle | PartialBundle, layout: Layout, rpcUrl: string | undefined): Promise<LookUp> {
  const network = readNetworkFile(layout.network);
  const url = rpcUrl ?? network?.rpcUrl;
  if (url === undefined)
    return { remarks: [`no network runs on ${layout.data}: the chain is not asked (start it, or name a chain with --rpc)`] };
  try {
    const deployments = await readDeployments(layout.deployments);
    if (deployments === undefined) return { remarks: [`${layout.deployments} is not there: the contracts' addresses are unknown`] };
    const chain = await connectChain({ rpcUrl: url, chainId: deployments.chainId, deployments });
    const remarks: string[] = [];
    const batch = 'receipt' in bundle ? await lookUpBatch(chain, bundle, network?.gatewayUrl, remarks) : undefined;
    const model = { registered: (await chain.modelInfo(modelOf(bundle))) !== undefined };
    const node = await lookUpNode(chain, signedBy(bundle), remarks);
    return {
      facts: { chainId: chain.chainId, receiptLog: deployments.receiptLog, model, ...(node && { node }), ...(batch && { batch }) },
      remarks,
    };
  } catch (error) {
    return { remarks: [`the chain at ${url} could not be asked: ${explain(error).message}`] };
  }
}

/** The model that a bundle is about. */
export const modelOf = (bundle: Bundle | PartialBundle): Bundle['receipt']['modelId'] =>
  'receipt' in bundle ? bundle.receipt.modelId : bundle.request.modelId;

export interface SignedBy {
  readonly node: Address;
  /** Undefined when the signature is malformed. */
  readonly signer: Address | undefined;
}

export function signedBy(bundle: Pick<Bundle, 'domain' | 'receipt' | 'signature'> | PartialBundle): SignedBy {
  const { domain, signature } = bundle;
  if ('receipt' in bundle) return { node: bundle.receipt.node, signer: recoverSigner(receiptDigest(bundle.receipt, domain), signature) };
  return { node: bundle.request.node, signer: recoverSigner(checkpointDigest(bundle.checkpoint, domain), signature) };
}

/** What the registry says of the node that signed; undefined when it can say nothing of the time at which it did. */
export async function lookUpNode(
  chain: Pick<Chain, 'nodeInfo' | 'nodeOf' | 'minimumBond'>,
  { node: id, signer }: SignedBy,
  remarks: string[],
): Promise<NodeFacts | undefined> {
  const node = await chain.nodeInfo(id);
  // the registry remembers keys that were rotated away and keys of nodes that left: a receipt outlives its key
  const owned = signer !== undefined && (await chain.nodeOf(signer)) === id;
  if (node === undefined) {
    if (!owned) return { registered: false };
    remarks.push(`node ${id} has left the network and taken its bond; the key that signed was its session key`);
    return undefined;
  }
  return { registered: true, sessionKey: owned ? signer : node.sessionKey, bond: node.bond, minimumBond: await chain.minimumBond() };
}

async function lookUpBatch(
  chain: Chain,
  bundle: Bundle,
  gatewayUrl: string | undefined,
  remarks: string[],
): Promise<BatchFacts | undefined> {
  const record = await chain.batch(bundle.receipt.node, bundle.receipt.batch);
  if (record === undefined) return { posted: false };
  if (gatewayUrl === undefined) {
    remarks.push('no gateway runs here that could hand out the inclusion proof');
    return undefined;
  }
  try {
    const id = receiptDigest(bundle.receipt, bundle.domain);
    const proof = parseProof(await getJson(`${gatewayUrl}/receipts/${id}`));
    return { posted: true, root: record.root, count: record.count, proof };
  } catch (error) {
    remarks.push(`the inclusion proof could not be had: ${error instanceof Error ? error.message : String(error)}`);
    return undefined;
  }
}

/** The `proof` of a body of `GET /v1/receipts/:id`. The verifier checks it against the root on chain. */
function parseProof(body: unknown): InclusionProof {
  const value = typeof body === 'object' && body !== null && 'proof' in body ? body.proof : undefined;
  const f = new Fields(value, 'proof', ['index', 'count', 'siblings']);
  const siblings = f.array('siblings', protocolLimits.proofLength);
  return {
    index: f.integer('index', 0, protocolLimits.merkleLeaves),
    count: f.integer('count', 1, protocolLimits.merkleLeaves),
    siblings: siblings.map((sibling, i) => fromHex(new Fields({ sibling }, `proof.siblings[${i}]`, ['sibling']).hex32('sibling'), 32)),
  };
}
