import type { Hex32 } from '@commonweight/protocol';
import type { Context } from 'hono';

/** Names the node that is asked and the signed request, on whatever answer follows: a body, a stream or an error. The last call counts. */
export function nameRequest(c: Context, node: string, requestHash: Hex32): void {
  c.header('x-commonweight-node', node);
  c.header('x-commonweight-request', requestHash);
}
