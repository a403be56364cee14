import { describe, expect, it } from 'vitest';
import { parseWorkerConfig } from './config.ts';

const good = {
  role: 'worker',
  dataDir: '/data/nodes/1',
  packages: ['/data/models/a'],
  listen: { host: '127.0.0.1', port: 0 },
  chain: { rpcUrl: 'http://127.0.0.1:8545', deploymentsFile: '/data/deployments.json' },
  operatorKeyFile: '/data/nodes/1/operator.key',
  sessionKeyFile: '/data/nodes/1/session.key',
};

describe('worker configuration', () => {
  it('fills in defaults', () => {
    expect(parseWorkerConfig(good)).toEqual({
      ...good,
      promptPrice: '0',
      completionPrice: '0',
      asset: `0x${'00'.repeat(20)}`,
      payments: { claimIntervalMs: 600_000, claimThreshold: '5000000', withdrawDelaySeconds: 86_400 },
      backend: 'auto',
      slots: 8,
      kvBytes: 2 ** 30,
      prefixCacheBytes: 2 ** 28,
      queueLimit: 8,
      batchIntervalMs: 5000,
    });
  });

  for (const [field, change] of [
    ['role', { role: 'gateway' }],
    ['packages', { packages: [] }],
    ['listen.port', { listen: { host: '127.0.0.1', port: 65_536 } }],
    ['chain.rpcUrl', { chain: { ...good.chain, rpcUrl: 'file:///etc/passwd' } }],
    ['promptPrice', { promptPrice: '1.5' }],
    ['promptPrice', { promptPrice: 1 }],
    ['promptPrice', { promptPrice: String(2n ** 128n) }],
    ['asset', { asset: '0xAB' }],
    ['asset', { completionPrice: '1' }],
    ['backend', { backend: 'gpu' }],
    ['threads', { threads: 0 }],
    ['slots', { slots: 0 }],
    ['slots', { slots: 33 }],
    ['kvBytes', { kvBytes: 0 }],
    ['prefixCacheBytes', { prefixCacheBytes: -1 }],
    ['queueLimit', { queueLimit: 257 }],
    ['batchIntervalMs', { batchIntervalMs: 5001 }],
    ['endpoint', { listen: { host: '0.0.0.0', port: 80 } }],
    ['configuration', { extra: true }],
  ] as const) {
    it(`refuses ${JSON.stringify(change)} by name`, () => {
      expect(() => parseWorkerConfig({ ...good, ...change })).toThrow(expect.objectContaining({ code: 'config', field }));
    });
  }
});
