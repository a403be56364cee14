import { type EngineModule, type Executor, type WeightsSource, createReferenceExecutor, createWasmExecutor } from '@commonweight/engine';
import { type TinyModelOptions, buildTinyModel, tinyShapes } from '@commonweight/engine/testing';
import type { Manifest } from '@commonweight/protocol';
import type { Operations } from './operations.ts';
import type { ModelName } from './plan.ts';
import { referenceOperations } from './reference-operations.ts';
import type { Workbench } from './run-item.ts';
import { wasmOperations } from './wasm-operations.ts';

export interface RealWeights {
  readonly manifest: Manifest;
  readonly weights: WeightsSource;
}

type CreateExecutor = (manifest: Manifest, weights: WeightsSource) => Executor;

export const referenceWorkbench = (real?: RealWeights): Workbench => workbenchOf(createReferenceExecutor, referenceOperations, real);

export const wasmWorkbench = (module: EngineModule, real?: RealWeights): Workbench =>
  workbenchOf((manifest, weights) => createWasmExecutor(manifest, weights, module), wasmOperations(module), real);

/** Every model is loaded once, when the first item asks for it. */
export function workbenchOf(create: CreateExecutor, operations: Operations | undefined, real?: RealWeights): Workbench {
  const executors = new Map<ModelName, Executor>();
  const load = (name: ModelName): Executor => {
    if (name !== 'real') {
      const { manifest, source } = tinyModel(name);
      return create(manifest, source);
    }
    if (real === undefined) throw new Error('an item asks for the real model, and there is none');
    return create(real.manifest, real.weights);
  };
  return {
    operations,
    executorOf: (name) => {
      const executor = executors.get(name) ?? load(name);
      executors.set(name, executor);
      return executor;
    },
  };
}

function tinyModel(name: Exclude<ModelName, 'real'>) {
  const [shape, seed] = name.split('-') as [keyof typeof tinyShapes, string];
  const options: TinyModelOptions = tinyShapes[shape];
  return buildTinyModel({ ...options, seed: Number(seed) });
}
