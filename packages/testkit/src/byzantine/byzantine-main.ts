import { parseArgs } from 'node:util';
import { readWorkerConfig, startWorker } from '@commonweight/node';
import { CommonweightError } from '@commonweight/protocol';
import { dependenciesOf } from './lies.ts';
import { byzantineStrategies, isByzantineStrategy } from './strategies.ts';

/** A worker process that lies: `byzantine-main.js --strategy NAME --config FILE`. From outside it behaves like `commonweight worker`. */
async function main(): Promise<void> {
  const { values } = parseArgs({ options: { strategy: { type: 'string' }, config: { type: 'string' } } });
  if (!isByzantineStrategy(values.strategy) || values.config === undefined) {
    const names = Object.keys(byzantineStrategies).join(', ');
    throw new CommonweightError(`expected --strategy (${names}) and --config FILE`, { code: 'usage' });
  }
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(name, () => stop.abort());
  process.once('disconnect', () => stop.abort());
  const worker = await startWorker(await readWorkerConfig(values.config), dependenciesOf(values.strategy), stop.signal);
  if (process.connected) process.send?.({ type: 'ready', url: worker.url, nodeId: worker.nodeId });
  await worker.closed;
}

try {
  await main();
} catch (error) {
  const message = error instanceof Error ? error.message : String(error);
  if (process.connected) process.send?.({ type: 'failed', message });
  process.stderr.write(`${message}\n`);
  process.exitCode = 2;
} finally {
  if (process.connected) process.disconnect();
}
