export { engineWasmFile, loadEngineWasm } from './wasm/load-engine-wasm.node.ts';
export { createThreadedWasmExecutor } from './wasm/threaded-wasm-executor.node.ts';
export { nodeSha256 } from './sha256.node.ts';
export type { NativeAddon, NativeLevel } from './native/addon.ts';
export { loadNativeAddon, nativeAddonFile } from './native/load-native-addon.node.ts';
export { createNativeExecutor } from './native/native-executor.node.ts';
export { type Backend, type BackendChoice, type BackendOptions, backendChoices, openBestBackend } from './native/best-executor.node.ts';
