import type { EngineSettings } from '../engine-host.ts';

/** Small, and enough for the models of the tests. */
export const engineSettings: EngineSettings = { backend: 'wasm', threads: 1, slots: 4, kvBytes: 2 ** 28, prefixCacheBytes: 2 ** 24 };
