export { type WorkerConfig, type WorkerConfigInput, parseWorkerConfig, readWorkerConfig } from './worker/config.ts';
export type { EngineEvents, EngineHost, EngineJob, EngineResult, OpenEngine } from './worker/engine-host.ts';
export { openThreadEngine } from './worker/engine-thread-host.ts';
export { type WorkerEvent, type WorkerLog, createWorkerLog } from './worker/log.ts';
export { type RunningWorker, type WorkerDependencies, startWorker } from './worker/start-worker.ts';
export { FolderLock } from './platform/lock.ts';
export { readKeyFile } from './platform/key-file.ts';
