import type { EngineModule } from '@commonweight/engine';
import { instantiate } from '@commonweight/engine/testing/operations';
import { ARENA_BYTES, type Numeric, kernelOperations } from './kernel-operations.ts';
import type { Operations } from './operations.ts';

/** The kernels of `engine.wasm`. */
export function wasmOperations(module: EngineModule): Operations {
  const { exports, memory } = instantiate(module);
  const arena = memory.allocate(ARENA_BYTES, 'an operation');
  return kernelOperations({
    buffer: memory.wasm.buffer,
    arena,
    call: (name, ...args) => (exports[`op_${name}`] as (...values: readonly Numeric[]) => Numeric)(...args),
  });
}
