import { loadEngineWasm, loadNativeAddon } from '@commonweight/engine/node';
import { breakWorkbench } from '../workload/break-workbench.ts';
import { nativeWorkbench } from '../workload/native-workbench.ts';
import type { Workbench } from '../workload/run-item.ts';
import { type RealWeights, referenceWorkbench, wasmWorkbench } from '../workload/workbench.ts';
import type { Job } from './job.ts';
import { packageWeights } from './package-weights.ts';

/** The workbench of a job in Node. */
export function openWorkbench(job: Job): Workbench {
  const real = job.realModel === undefined ? undefined : packageWeights(job.realModel);
  const bench = openEngine(job, real);
  return job.broken ? breakWorkbench(bench) : bench;
}

function openEngine({ engine, level }: Job, real: RealWeights | undefined): Workbench {
  switch (engine) {
    case 'reference':
      return referenceWorkbench(real);
    case 'wasm':
      return wasmWorkbench(loadEngineWasm(), real);
    case 'native': {
      const addon = loadNativeAddon();
      if (addon === undefined || level === undefined) throw new Error('expected a native addon and the level to run');
      return nativeWorkbench(addon, level, real);
    }
  }
}
