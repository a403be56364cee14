import { loadEngineWasm } from '@commonweight/engine/node';
import { breakWorkbench } from '../workload/break-workbench.ts';
import type { Workbench } from '../workload/run-item.ts';
import { referenceWorkbench, wasmWorkbench } from '../workload/workbench.ts';
import type { Job } from './job.ts';
import { packageWeights } from './package-weights.ts';

/** The workbench of a job in Node. */
export function openWorkbench(job: Job): Workbench {
  const real = job.realModel === undefined ? undefined : packageWeights(job.realModel);
  const bench = job.engine === 'reference' ? referenceWorkbench(real) : wasmWorkbench(loadEngineWasm(), real);
  return job.broken ? breakWorkbench(bench) : bench;
}
