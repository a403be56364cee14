import { readWorkerConfig } from '../config.ts';
import { startWorker } from '../start-worker.ts';

/** A worker as a process of its own: prints its URL, runs until it is killed. Argument: configuration file. */
const worker = await startWorker(await readWorkerConfig(process.argv[2]!));
process.stdout.write(`${worker.url}\n`);
