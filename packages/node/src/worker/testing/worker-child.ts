import { type Clock, systemClock } from '../../platform/clock.ts';
import { readWorkerConfig } from '../config.ts';
import { startWorker } from '../start-worker.ts';

/** The poster's pause never ends: receipts that come after the start stay off the chain. */
const clock: Clock = {
  ...systemClock,
  sleep: (_ms, signal) => new Promise((resolve) => signal.addEventListener('abort', () => resolve())),
};

/** A worker as a process of its own: prints its URL, runs until it is killed. Argument: configuration file. */
const worker = await startWorker(await readWorkerConfig(process.argv[2]!), { clock });
process.stdout.write(`${worker.url}\n`);
