import { isIP } from 'node:net';
import { parseUrl } from './parse-url.ts';

const LOOPBACK = ['localhost', '127.0.0.1', '[::1]'];

export interface HostListOptions {
  /** Whether every IP address is fine as well: only a name can be rebound to another address. */
  readonly anyAddress?: boolean;
}

/**
 * Host names under which a server may be asked. It keeps web pages of other origins out: a name that was rebound to 127.0.0.1 shows in `Host`,
 * a page in `Origin`.
 */
export class HostList {
  readonly #names: ReadonlySet<string>;
  readonly #anyAddress: boolean;

  /** @param names - host names beside the loopback ones, as a URL has them (IPv6 in brackets). */
  constructor(names: readonly string[], { anyAddress = false }: HostListOptions = {}) {
    this.#names = new Set([...LOOPBACK, ...names.map((name) => name.toLowerCase())]);
    this.#anyAddress = anyAddress;
  }

  /** Which header names a host that is not served; undefined when both are fine. A page's own address may never be just any address. */
  refusal({ host, origin }: { readonly host: string | undefined; readonly origin: string | undefined }): 'host' | 'origin' | undefined {
    const name = hostOf(`http://${host ?? ''}`);
    const isAddress = this.#anyAddress && isIP(name.replace(/^\[|\]$/g, '')) !== 0;
    if (!isAddress && !this.#names.has(name)) return 'host';
    return origin === undefined || this.#names.has(hostOf(origin)) ? undefined : 'origin';
  }
}

const hostOf = (url: string): string => parseUrl(url)?.hostname ?? '';
