import { get as httpGet, type IncomingMessage } from 'node:http';
import { get as httpsGet } from 'node:https';
import { limits } from '../limits.ts';
import { after } from '../platform/timers.ts';
import { SourceError } from './source-error.ts';

export interface HttpTimeouts {
  readonly connectMilliseconds: number;
  readonly idleMilliseconds: number;
}

/** Hosts that huggingface.co hands its large files to. */
const TRUSTED_SUFFIXES = ['.huggingface.co', '.hf.co'];

const allowed = (from: URL, to: URL): boolean =>
  to.origin === from.origin || (to.protocol === 'https:' && TRUSTED_SUFFIXES.some((suffix) => to.hostname.endsWith(suffix)));

/** GET with redirects to known hosts only. Rejects with a {@link SourceError} when nobody answers in time; the body is the caller's to read. */
export async function getFollowing(
  start: URL,
  headers: Record<string, string>,
  timeouts: HttpTimeouts,
  signal?: AbortSignal,
): Promise<IncomingMessage> {
  let url = start;
  for (let hop = 0; hop <= limits.redirects; hop++) {
    const response = await get(url, headers, timeouts, signal);
    const location = response.headers.location;
    if (response.statusCode === undefined || response.statusCode < 300 || response.statusCode > 399 || location === undefined)
      return response;
    response.destroy();
    const next = new URL(location, url);
    if (!allowed(start, next)) throw new SourceError(start.host, `redirects to ${next.host}, which is not a known host of this model`);
    url = next;
  }
  throw new SourceError(start.host, `more than ${limits.redirects} redirects`);
}

async function get(url: URL, headers: Record<string, string>, timeouts: HttpTimeouts, signal?: AbortSignal): Promise<IncomingMessage> {
  return await new Promise((resolve, reject) => {
    const request = (url.protocol === 'https:' ? httpsGet : httpGet)(url, { headers, ...(signal ? { signal } : {}) });
    const seconds = (milliseconds: number): string => `${milliseconds / 1000} s`;
    const connected = after(timeouts.connectMilliseconds, () => {
      request.destroy(new SourceError(url.host, `no connection within ${seconds(timeouts.connectMilliseconds)}`));
    });
    request.setTimeout(timeouts.idleMilliseconds, () => {
      request.destroy(new SourceError(url.host, `no byte for ${seconds(timeouts.idleMilliseconds)}`));
    });
    request.on('socket', (socket) => socket.once(url.protocol === 'https:' ? 'secureConnect' : 'connect', connected));
    request.once('close', connected);
    request.once('response', (response) => {
      connected();
      resolve(response);
    });
    request.once('error', (error: NodeJS.ErrnoException) => {
      connected();
      reject(signal?.aborted || error instanceof SourceError ? error : new SourceError(url.host, error.code ?? error.message, error));
    });
  });
}
