export { engineWasmFile, loadEngineWasm } from './wasm/load-engine-wasm.node.ts';
export { nodeSha256 } from './sha256.node.ts';
