// Runs a job in this Node, on whatever processor it was built for: `node node-host.js JOB.json`. One JSON line an item on stdout, a HostInfo at the end.
import { readFileSync, writeSync } from 'node:fs';
import process from 'node:process';
import { Worker, isMainThread, parentPort, workerData } from 'node:worker_threads';
import { runItem } from '../workload/run-item.ts';
import type { HostInfo, Job } from './job.ts';
import { openWorkbench } from './open-workbench.ts';

const print = (value: unknown): void => void writeSync(1, `${JSON.stringify(value)}\n`);

function run(job: Job, emit: (value: unknown) => void): void {
  const bench = openWorkbench(job);
  for (const item of job.items) emit(runItem(item, bench));
  const info = `Node ${process.versions.node}, ${process.platform} ${process.arch}${isMainThread ? '' : ', worker thread'}`;
  emit({ info } satisfies HostInfo);
}

if (isMainThread) {
  const job = JSON.parse(readFileSync(process.argv[2]!, 'utf8')) as Job;
  // an error of the thread ends the process with its stack, as one of this thread does
  if (job.thread) new Worker(new URL(import.meta.url), { workerData: job }).on('message', print);
  else run(job, print);
} else {
  run(workerData as Job, (value) => parentPort!.postMessage(value));
}
