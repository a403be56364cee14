import type { MiddlewareHandler } from 'hono';
import { ApiError } from '../api-error.ts';

const LOOPBACK = ['localhost', '127.0.0.1', '[::1]'];
const ALLOWED_HEADERS = /^(?:authorization|content-type|accept|idempotency-key|openai-[a-z-]{1,40}|x-stainless-[a-z-]{1,40})$/;

/**
 * Keeps web pages of other origins out: a name that was rebound to 127.0.0.1 shows in `Host`, a page in `Origin`. Pages served from this
 * machine get CORS headers.
 *
 * @param allowedHosts - host names beside the loopback ones.
 */
export function guardOrigin(allowedHosts: readonly string[]): MiddlewareHandler {
  const hosts = new Set([...LOOPBACK, ...allowedHosts.map((host) => host.toLowerCase())]);
  return async (c, next) => {
    if (!hosts.has(hostOf(`http://${c.req.header('host') ?? ''}`))) {
      throw new ApiError('the Host header names a host that this gateway does not serve; add it to allowedHosts', {
        status: 403,
        code: 'host_not_allowed',
      });
    }
    const origin = c.req.header('origin');
    if (origin === undefined) return next();
    if (!hosts.has(hostOf(origin))) {
      throw new ApiError('pages of this origin may not use this gateway', { status: 403, code: 'origin_not_allowed' });
    }
    c.header('access-control-allow-origin', origin);
    c.header('vary', 'Origin');
    c.header('access-control-expose-headers', 'x-commonweight-node, x-commonweight-receipt, retry-after');
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

const hostOf = (url: string): string => URL.parse(url)?.hostname ?? '';
