import { describe, expect, test } from 'vitest';
import { guardedLookup, mayDial, parseEndpoint } from './address-rule.ts';

describe('addresses that may be dialled', () => {
  test.each([
    ['8.8.8.8', true],
    ['172.32.0.1', true],
    ['2606:4700::1', true],
    ['10.1.2.3', false],
    ['172.16.0.1', false],
    ['172.31.255.255', false],
    ['192.168.1.1', false],
    ['169.254.169.254', false],
    ['100.64.0.1', false],
    ['0.0.0.0', false],
    ['224.0.0.1', false],
    ['255.255.255.255', false],
    ['::', false],
    ['fe80::1', false],
    ['fd00::1', false],
    ['64:ff9b::a00:1', false],
    ['2002:a00:1::', false],
    ['::ffff:10.0.0.1', false],
    ['::ffff:a00:1', false],
    ['not an address', false],
  ])('%s: %s', (address, allowed) => {
    expect(mayDial(address, false)).toBe(allowed);
    expect(mayDial(address, true)).toBe(allowed);
  });

  test.each(['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1'])('%s: only in development', (address) => {
    expect(mayDial(address, false)).toBe(false);
    expect(mayDial(address, true)).toBe(true);
  });
});

describe('endpoints', () => {
  test.each(['https://node.example.org', 'http://8.8.8.8:9000', 'http://[2606:4700::1]:1/'])('%s', (endpoint) => {
    expect(parseEndpoint(endpoint, false).href).toBe(new URL(endpoint).href);
  });

  test.each([
    ['ftp://node.example.org', /http or https/],
    ['file:///etc/passwd', /http or https/],
    ['nonsense', /URL/],
    ['http://user:secret@node.example.org', /credentials/],
    ['http://node.example.org/path', /path/],
    ['http://node.example.org/?q', /query/],
    ['http://10.0.0.1', /private/],
    ['http://2130706433', /private/],
    ['http://0x7f.1', /private/],
    ['http://[::1]:80', /private/],
  ])('%s is refused', (endpoint, why) => expect(() => parseEndpoint(endpoint, false)).toThrow(why));

  test('a name is checked when it is resolved', async () => {
    const look = (allowLoopback: boolean, all: boolean): Promise<unknown> =>
      new Promise((resolve, reject) =>
        guardedLookup(allowLoopback)('localhost', { all }, (error, address) => (error ? reject(error) : resolve(address))),
      );
    await expect(look(false, true)).rejects.toThrow(/no address that may be dialled/);
    expect(await look(true, false)).toMatch(/^(?:127\.0\.0\.1|::1)$/);
    expect(await look(true, true)).toEqual(expect.arrayContaining([{ address: expect.any(String), family: expect.any(Number) }]));
  });
});
