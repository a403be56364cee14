import { afterEach, beforeEach, expect, test } from 'vitest';
import { parseEndpoint } from '../gateway/network/address-rule.ts';
import { HostList } from './host-list.ts';
import { parseUrl } from './parse-url.ts';

// as in Node 20.19, the oldest that is supported
const parse = Object.getOwnPropertyDescriptor(URL, 'parse');
beforeEach(() => void Reflect.deleteProperty(URL, 'parse'));
afterEach(() => {
  if (parse) Object.defineProperty(URL, 'parse', parse);
});

test('reads URLs where URL.parse is not there', () => {
  expect('parse' in URL).toBe(false);
  expect(parseUrl('http://[::1]:80/x')?.hostname).toBe('[::1]');
  expect(parseUrl('no url')).toBeUndefined();
  expect(parseEndpoint('http://8.8.8.8:1', false).host).toBe('8.8.8.8:1');
  expect(new HostList([]).refusal({ host: 'localhost:8000', origin: 'http://127.0.0.1:1' })).toBeUndefined();
});
