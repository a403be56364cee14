import { createThreadedWasmExecutor, loadEngineWasm, loadNativeAddon } from '@commonweight/engine/node';
import type { Manifest } from '@commonweight/protocol';
import { availableParallelism } from 'node:os';
import type { WeightsSource } from '@commonweight/engine';
import { breakWorkbench } from '../workload/break-workbench.ts';
import { nativeWorkbench } from '../workload/native-workbench.ts';
import type { Workbench } from '../workload/run-item.ts';
import { wasmOperations } from '../workload/wasm-operations.ts';
import { type RealWeights, referenceWorkbench, wasmWorkbench, workbenchOf } from '../workload/workbench.ts';
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
    case 'wasm-threads': {
      const module = loadEngineWasm();
      const threads = Math.max(2, Math.min(availableParallelism(), 4));
      const create = (manifest: Manifest, weights: WeightsSource) => createThreadedWasmExecutor(manifest, weights, module, threads);
      return workbenchOf(create, wasmOperations(module), real);
    }
    case 'native': {
      const addon = loadNativeAddon();
      if (addon === undefined || level === undefined) throw new Error('expected a native addon and the level to run');
      return nativeWorkbench(addon, level, real);
    }
  }
}
