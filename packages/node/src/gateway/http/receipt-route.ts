import {
  type Address,
  type Bundle,
  DecodeError,
  Fields,
  type Hex,
  type Hex32,
  type InclusionProof,
  bundleToJson,
  fromHex,
  isHex32,
  limits as protocolLimits,
  toHex,
  isInBatch,
} from '@commonweight/protocol';
import type { Context } from 'hono';
import { nativeSha256 } from '../../platform/sha256.ts';
import { ApiError } from '../api-error.ts';
import { NodeFailure } from '../network/node-failure.ts';
import type { NodeDirectory } from '../network/node-directory.ts';
import type { WorkerClient } from '../network/worker-client.ts';
import type { GatewayStore } from '../store/gateway-store.ts';

/** A batch of a node as the chain has it. */
export interface PostedBatch {
  /** The first 22 bytes of it. */
  readonly root: Hex;
  readonly count: number;
  /** Unix seconds. */
  readonly postedAt: number;
}

export interface ReceiptRouteOptions {
  readonly store: GatewayStore;
  readonly directory: NodeDirectory;
  readonly client: WorkerClient;
  /** Reads the chain; undefined when the batch is not posted. */
  readonly batch: (node: Address, index: number) => Promise<PostedBatch | undefined>;
}

/** `GET /v1/receipts/:id`: the bundle, and the proof that the receipt is in a batch whose root stands on chain. */
export function receiptRoute({ store, directory, client, batch }: ReceiptRouteOptions): (c: Context) => Promise<Response> {
  return async (c) => {
    const id = c.req.param('id');
    const bundle = isHex32(id) ? await store.bundle(id) : undefined;
    if (!isHex32(id) || !bundle) {
      throw new ApiError('this gateway has no answer with that receipt id', { status: 404, code: 'receipt_not_found', param: 'id' });
    }
    const { node, batch: index } = bundle.receipt;
    const posted = await batch(node, index);
    const head = { id, object: 'commonweight.receipt', status: posted ? 'posted' : 'pending', node };
    if (!posted) return c.json({ ...head, batch: { index }, bundle: bundleToJson(bundle) });
    const proof = await proofOf(id, bundle, posted);
    return c.json({
      ...head,
      batch: { index, root: posted.root, count: posted.count, posted_at: posted.postedAt },
      proof: { index: proof.index, count: proof.count, siblings: proof.siblings.map(toHex) },
      bundle: bundleToJson(bundle),
    });
  };

  /** The node's proof, checked against the root that the chain has. */
  async function proofOf(id: Hex32, { receipt: { node, batch: index } }: Bundle, posted: PostedBatch): Promise<InclusionProof> {
    const url = (await directory.node(node))?.url;
    if (!url)
      throw new ApiError(`node ${node} is not registered any more: batch ${index} is on chain, its proof is not here`, {
        status: 503,
        code: 'proof_unavailable',
      });
    let proof: InclusionProof;
    try {
      proof = parseProof(await client.receipt(url, id));
    } catch (cause) {
      if (cause instanceof DecodeError) {
        throw new ApiError(`node ${node} gives no inclusion proof for batch ${index}, which is on chain: ${cause.message}`, {
          status: 502,
          code: 'proof_invalid',
          cause,
        });
      }
      if (!(cause instanceof NodeFailure)) throw cause;
      const message = `batch ${index} of node ${node} is on chain, but the node does not give the proof now (${cause.message}); try again`;
      throw new ApiError(message, { status: 503, code: 'proof_unavailable', cause });
    }
    if (!isInBatch(id, proof, posted, nativeSha256))
      throw new ApiError(`the proof that node ${node} gives does not lead to the root of batch ${index} on chain`, {
        status: 502,
        code: 'proof_invalid',
      });
    return proof;
  }
}

function parseProof(value: unknown): InclusionProof {
  const proof = (value as { proof?: unknown } | null | undefined)?.proof;
  const f = new Fields(proof, 'proof', ['index', 'count', 'siblings']);
  const siblings = f
    .array('siblings', protocolLimits.proofLength)
    .map((sibling, i) => fromHex(new Fields({ sibling }, `proof.siblings[${i}]`, ['sibling']).hex32('sibling'), 32));
  return {
    index: f.integer('index', 0, protocolLimits.merkleLeaves),
    count: f.integer('count', 1, protocolLimits.merkleLeaves),
    siblings,
  };
}
