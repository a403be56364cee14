import type { Address, ModelId } from '@commonweight/protocol';
import { ApiError } from '../api-error.ts';
import type { ProviderPreferences } from '../schema/chat-request.ts';
import type { KnownNode } from './node-directory.ts';

/** A node that can be asked. */
export type Candidate = KnownNode & { readonly url: URL };

/**
 * Nodes to ask for this model, best first: as `provider.order` says, then those that did not fail lately, then the fewest runs of ours,
 * then the longest unused. A node named in `provider.only` is asked even when it is down or was refused. Nobody is asked whose price is refused.
 *
 * @throws ApiError 404 for a node that is not registered, 400 for one that does not serve the model, 503 when nobody can be asked.
 */
export function route(nodes: readonly KnownNode[], modelId: ModelId, provider: ProviderPreferences | undefined, now: number): Candidate[] {
  const { only, order = [], ignore = [], allow_fallbacks: allowFallbacks = true } = provider ?? {};
  requireKnown(nodes, modelId, 'provider.only', only ?? []);
  requireKnown(nodes, modelId, 'provider.order', order);

  const named = (node: KnownNode): boolean => {
    if (!node.models.includes(modelId) || ignore.includes(node.node)) return false;
    if (!allowFallbacks && order.length > 0 && !order.includes(node.node)) return false;
    return !only || only.includes(node.node);
  };
  const wanted = (node: KnownNode): boolean => {
    // a name is no consent to a price
    if (!named(node) || node.priceRefusals.has(modelId)) return false;
    if (only) return true;
    return node.health.status === 'ok' && node.avoidUntil <= now;
  };
  const place = ({ node }: KnownNode): number => (order.includes(node) ? order.indexOf(node) : order.length);
  const failed = ({ failedUntil }: KnownNode): number => (failedUntil > now ? 1 : 0);
  const candidates = nodes
    .filter((node): node is Candidate => node.url !== undefined && wanted(node))
    .sort((a, b) => place(a) - place(b) || failed(a) - failed(b) || a.outstanding - b.outstanding || a.lastUsed - b.lastUsed);
  if (candidates.length === 0) {
    const dear = nodes.find((node) => named(node) && node.priceRefusals.has(modelId));
    if (dear) {
      throw new ApiError(
        `no node that serves this model can be asked at its price; ${dear.node}: ${dear.priceRefusals.get(modelId)!.message}`,
        {
          status: 503,
          code: 'price_refused',
        },
      );
    }
    throw new ApiError('no node that serves this model can be asked now; see GET /v1/nodes for why', {
      status: 503,
      code: 'no_node_available',
    });
  }
  return allowFallbacks || order.length > 0 ? candidates : candidates.slice(0, 1);
}

function requireKnown(nodes: readonly KnownNode[], modelId: ModelId, field: string, ids: readonly Address[]): void {
  for (const [i, id] of ids.entries()) {
    const known = nodes.find(({ node }) => node === id);
    const param = `${field}[${i}]`;
    if (!known)
      throw new ApiError(`${param}: no node ${id} is registered; see GET /v1/nodes`, { status: 404, code: 'node_not_found', param });
    if (!known.models.includes(modelId)) {
      throw new ApiError(`${param}: node ${id} does not serve this model; see GET /v1/nodes`, {
        status: 400,
        code: 'model_not_served',
        param,
      });
    }
  }
}
