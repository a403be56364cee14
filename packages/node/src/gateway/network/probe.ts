import { type Address, CommonweightError, Fields, limits as protocolLimits } from '@commonweight/protocol';
import { gatewayLimits as limits } from '../../limits.ts';
import type { NodeEngine, NodeHealth, NodePrices } from './node-directory.ts';
import type { WorkerClient } from './worker-client.ts';

/** What a worker says about itself. */
export interface Probe {
  readonly health: NodeHealth;
  readonly prices?: NodePrices;
}

/** Asks a worker's `/health`. @throws CommonweightError when it does not answer, is not the node that was meant, or sends something else. */
export async function probe(client: WorkerClient, node: Address, url: URL): Promise<Probe> {
  const f = new Fields(await client.get(url, '/health'), 'health', ['status', 'node', 'models', 'queue', 'engines', 'reason?', 'prices?']);
  if (f.address('node') !== node) {
    throw new CommonweightError(`another node (${f.address('node')}) answers at this endpoint`, { code: 'wrong_node', action: 'stop' });
  }
  const status = f.string('status', 32);
  const queue = new Fields(f.raw('queue'), 'health.queue', ['running', 'waiting', 'slots', 'limit']);
  const count = (key: string): number => queue.integer(key, 0, protocolLimits.positions);
  const prices = f.has('prices') ? parsePrices(f.raw('prices')) : undefined;
  return {
    health:
      status === 'ok'
        ? {
            status: 'ok',
            queue: { running: count('running'), waiting: count('waiting'), slots: count('slots'), limit: count('limit') },
            engines: f.array('engines', limits.packages).map(parseEngine),
          }
        : { status: 'down', reason: `the node says ${status}` },
    ...(prices && { prices }),
  };
}

function parseEngine(value: unknown): NodeEngine {
  const f = new Fields(value, 'health.engines', ['model', 'backend', 'prefixCache']);
  return { model: f.hex32('model'), backend: f.string('backend', 32, /^[a-z0-9-]+$/) };
}

function parsePrices(value: unknown): NodePrices {
  const f = new Fields(value, 'health.prices', ['prompt', 'completion', 'asset']);
  return { prompt: String(f.uint('prompt')), completion: String(f.uint('completion')), asset: f.address('asset') };
}
