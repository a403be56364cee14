import { expect, test } from 'vitest';
import { parseGatewayConfig } from './config.ts';

const good = {
  role: 'gateway',
  dataDir: '/data',
  packages: ['/model'],
  listen: { host: '127.0.0.1', port: 0 },
  chain: { rpcUrl: 'http://127.0.0.1:8545', deploymentsFile: '/deployments.json' },
  payerKeyFile: '/payer.key',
};

test('defaults: no price, nothing on this machine is dialled', () =>
  expect(parseGatewayConfig(good)).toMatchObject({ maxPromptPrice: '0', maxCompletionPrice: '0', allowLoopback: false, allowedHosts: [] }));

test.each([
  ['listen.host', { listen: { host: '0.0.0.0', port: 0 } }, /loopback/],
  ['listen.port', { listen: { host: '127.0.0.1', port: 70_000 } }, /65535/],
  ['packages', { packages: [] }, />=1/],
  ['maxPromptPrice', { maxPromptPrice: '1.5' }, /decimal integer/],
  ['configuration', { unknown: 1 }, /unknown/],
  ['role', { role: 'worker' }, /gateway/],
])('%s', (field, change, message) => {
  const parse = (): unknown => parseGatewayConfig({ ...good, ...change });
  expect(parse).toThrow(expect.objectContaining({ code: 'config', field }) as Error);
  expect(parse).toThrow(message);
});
