import type { WeightsMemory } from '../load-weights.ts';
import type { EngineInstance } from './kernels.ts';

/** The engine's memory as a place for weights. */
export const weightsMemory = ({ memory, kernels }: EngineInstance): WeightsMemory => ({
  allocate: (bytes, what) => memory.allocate(bytes, what),
  bytes: (start, length) => memory.bytes(start, length),
  int32: (start, length) => memory.int32(start, length),
  lowestAt: (start, length) => {
    const at = kernels.find_lowest(start, length) >>> 0;
    return at === length ? -1 : at;
  },
});
