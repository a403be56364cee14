import { lookup as systemLookup } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { CommonweightError } from '@commonweight/protocol';
import { parseUrl } from '../../http/parse-url.ts';

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8);
loopback.addAddress('::1', 'ipv6');

/** Not on the public internet (IANA special-purpose registries). IPv4 rules cover IPv4-mapped IPv6 addresses as well. */
const reserved = new BlockList();
for (const [net, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
] as const) {
  reserved.addSubnet(net, prefix);
}
/** IPv6: everything outside 2000::/3, and what inside it embeds or documents IPv4. */
const global6 = new BlockList();
global6.addSubnet('2000::', 3, 'ipv6');
const reserved6 = new BlockList();
for (const [net, prefix] of [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
] as const) {
  reserved6.addSubnet(net, prefix, 'ipv6');
}

/** Whether a gateway may dial this IP address. Loopback only where the development configuration says so, other private ones never. */
export function mayDial(address: string, allowLoopback: boolean): boolean {
  const version = isIP(address);
  if (version === 0) return false;
  const family = version === 6 ? 'ipv6' : 'ipv4';
  if (loopback.check(address, family)) return allowLoopback;
  if (version === 4) return !reserved.check(address);
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped) return mayDial(mapped, allowLoopback);
  return global6.check(address, 'ipv6') && !reserved6.check(address, 'ipv6');
}

/**
 * Reads a node's endpoint from the chain: an http or https origin without credentials, path or query.
 * @throws CommonweightError when it must not be dialled; names are checked again when they are resolved.
 */
export function parseEndpoint(endpoint: string, allowLoopback: boolean): URL {
  const refuse = (why: string): never => {
    throw new CommonweightError(`endpoint ${JSON.stringify(endpoint.slice(0, 256))}: ${why}`, { code: 'endpoint', action: 'stop' });
  };
  const url = parseUrl(endpoint) ?? refuse('expected a URL');
  if (url.protocol !== 'http:' && url.protocol !== 'https:') refuse('expected http or https');
  if (url.username !== '' || url.password !== '' || url.pathname !== '/' || url.search !== '' || url.hash !== '') {
    refuse('expected an origin without credentials, path, query and fragment');
  }
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (isIP(host) !== 0 && !mayDial(host, allowLoopback)) refuse('private and reserved addresses are not dialled');
  return url;
}

/** DNS look-up that yields only addresses which may be dialled: a public name must not lead into the private network. */
export const guardedLookup =
  (allowLoopback: boolean): LookupFunction =>
  (hostname, options, callback) => {
    systemLookup(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) return callback(error, '');
      const allowed = addresses.filter(({ address }) => mayDial(address, allowLoopback));
      const [first] = allowed;
      if (!first)
        return callback(Object.assign(new Error(`${hostname} leads to no address that may be dialled`), { code: 'EPRIVATE' }), '');
      if (options.all) return callback(null, allowed);
      callback(null, first.address, first.family);
    });
  };
