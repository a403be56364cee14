import type { MiddlewareHandler } from 'hono';
import { HostList } from '../../http/host-list.ts';
import { ApiError } from '../api-error.ts';

const ALLOWED_HEADERS =
  /^(?:authorization|content-type|accept|idempotency-key|payment-signature|access-control-expose-headers|openai-[a-z-]{1,40}|x-stainless-[a-z-]{1,40})$/;

/**
 * Keeps web pages of other origins out: a name that was rebound to 127.0.0.1 shows in `Host`, a page in `Origin`. Pages served from this
 * machine get CORS headers.
 *
 * @param allowedHosts - host names beside the loopback ones.
 */
export function guardOrigin(allowedHosts: readonly string[]): MiddlewareHandler {
  const hosts = new HostList(allowedHosts);
  return async (c, next) => {
    const origin = c.req.header('origin');
    const refused = hosts.refusal({ host: c.req.header('host'), origin });
    if (refused === 'host') {
      throw new ApiError('the Host header names a host that this gateway does not serve; add it to allowedHosts', {
        status: 403,
        code: 'host_not_allowed',
      });
    }
    if (refused === 'origin') {
      throw new ApiError('pages of this origin may not use this gateway', { status: 403, code: 'origin_not_allowed' });
    }
    if (origin === undefined) return next();
    c.header('access-control-allow-origin', origin);
    c.header('vary', 'Origin');
    c.header(
      'access-control-expose-headers',
      'x-commonweight-node, x-commonweight-request, x-commonweight-receipt, retry-after, payment-required, payment-response',
    );
    if (c.req.method !== 'OPTIONS') return next();
    const asked = (c.req.header('access-control-request-headers') ?? '').toLowerCase().split(',');
    c.header('access-control-allow-methods', 'GET, POST');
    c.header(
      'access-control-allow-headers',
      asked
        .map((name) => name.trim())
        .filter((name) => ALLOWED_HEADERS.test(name))
        .join(', '),
    );
    c.header('access-control-max-age', '600');
    return c.body(null, 204);
  };
}
