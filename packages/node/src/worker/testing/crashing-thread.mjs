// An engine thread that starts well and dies when a job's first prompt id says so: 1 exits, 2 throws, 3 never ends. Any other job is answered.
import { parentPort, workerData } from 'node:worker_threads';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const manifest = JSON.parse(readFileSync(join(workerData.packageDir, 'manifest.json'), 'utf8'));
const prefixCache = { entries: 0, bytes: 0, lookups: 0, hits: 0, reused: 0 };
parentPort.on('message', ({ type, job, input }) => {
  if (type !== 'run') return;
  // stays in progress until the thread dies
  if (input.promptIds[0] === 3) return;
  if (input.promptIds[0] === 1) process.exit(3);
  if (input.promptIds[0] === 2) throw new Error('secret prompt');
  parentPort.postMessage({ type: 'token', job, index: 0, id: 5 });
  parentPort.postMessage({ type: 'done', job, result: { completionIds: [5], finish: 'length', digests: new Uint8Array(0) }, prefixCache });
});
parentPort.postMessage({ type: 'ready', manifest, modelId: `0x${'0a'.repeat(32)}`, backend: { name: 'none' }, prefixCache });
