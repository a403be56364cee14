import { bundleToJson, isHex32, receiptDigest } from '@commonweight/protocol';
import type { Context } from 'hono';
import { ApiError } from '../api-error.ts';
import type { GatewayStore } from '../store/gateway-store.ts';

/** `GET /v1/requests/:hash`: what became of the request that `x-commonweight-request` named. The bundle, or what is provable of an answer that broke off. */
export function requestRoute({ store }: { readonly store: GatewayStore }): (c: Context) => Promise<Response> {
  return async (c) => {
    const hash = c.req.param('hash');
    const found = isHex32(hash) ? await store.request(hash) : undefined;
    if (!found) {
      const message = 'this gateway has nothing about that request: it is in progress, unknown, or broke off before its first checkpoint';
      throw new ApiError(message, { status: 404, code: 'request_not_found', param: 'hash' });
    }
    const head = { object: 'commonweight.request' };
    if ('partial' in found) {
      const { partial } = found;
      return c.json({ ...head, id: partial.checkpoint.requestHash, status: 'partial', node: partial.request.node, partial });
    }
    const { bundle } = found;
    const { receipt, domain } = bundle;
    const answered = { id: receipt.requestHash, status: 'answered', node: receipt.node, receipt_id: receiptDigest(receipt, domain) };
    return c.json({ ...head, ...answered, bundle: bundleToJson(bundle) });
  };
}
