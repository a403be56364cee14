export * from './executor.ts';
export { createReferenceExecutor } from './reference/executor.ts';
export { checkManifestTensors, checkMatrixData, checkNormData, packedIndex } from './reference/check-tensors.ts';
export { TensorError } from './reference/tensor-error.ts';
export { sampleToken } from './sampler/sample-token.ts';
export { createWasmExecutor } from './wasm/wasm-executor.ts';
export type { EngineModule } from './wasm/web-assembly.ts';
export * from './generation.ts';
export * from './reexecute.ts';
