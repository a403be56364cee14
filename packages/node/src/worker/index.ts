/** The worker role alone, for a process that should not load the gateway. */
export { readWorkerConfig } from './config.ts';
export { startWorker } from './start-worker.ts';
