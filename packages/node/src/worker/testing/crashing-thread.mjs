// An engine thread that starts well and dies when a job's first prompt id says so: 1 exits, 2 throws. Any other job is answered.
import { parentPort, workerData } from 'node:worker_threads';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const manifest = JSON.parse(readFileSync(join(workerData.packageDir, 'manifest.json'), 'utf8'));
parentPort.on('message', ({ job, input }) => {
  if (input.promptIds[0] === 1) process.exit(3);
  if (input.promptIds[0] === 2) throw new Error('secret prompt');
  parentPort.postMessage({ type: 'token', job, index: 0, id: 5 });
  parentPort.postMessage({ type: 'done', job, result: { completionIds: [5], finish: 'length', digests: new Uint8Array(0) } });
});
parentPort.postMessage({ type: 'ready', manifest, modelId: `0x${'0a'.repeat(32)}` });
