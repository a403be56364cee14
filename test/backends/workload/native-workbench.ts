import { type NativeAddon, type NativeLevel, createNativeExecutor } from '@commonweight/engine/node';
import { ARENA_BYTES, kernelOperations } from './kernel-operations.ts';
import type { Operations } from './operations.ts';
import type { Workbench } from './run-item.ts';
import { type RealWeights, workbenchOf } from './workbench.ts';

/** Addresses below are left out, so that none is 0. */
const ARENA_START = 64;

export const nativeWorkbench = (addon: NativeAddon, level: NativeLevel, real?: RealWeights): Workbench =>
  workbenchOf((manifest, weights) => createNativeExecutor(manifest, weights, addon, level), nativeOperations(addon, level), real);

/** The same operations on a memory of its own. */
function nativeOperations(addon: NativeAddon, level: NativeLevel): Operations {
  const buffer = new ArrayBuffer(ARENA_START + ARENA_BYTES);
  return kernelOperations({
    buffer,
    arena: ARENA_START,
    call: (name, ...args) => addon.operation(level, `op_${name}`, buffer, BigInt64Array.from(args, BigInt)),
  });
}
