/** The operations of the SPEC one by one, as the reference and `engine.wasm` have them: for comparisons of back ends, never for serving. */
export { attend } from '../reference/attention.ts';
export { blockIndex, packedIndex } from '../reference/check-tensors.ts';
export { embed } from '../reference/embedding.ts';
export { exp2n } from '../reference/exp2n.ts';
export { isqrt } from '../reference/isqrt.ts';
export { newKeyValueHead, storeKeyValue } from '../reference/kv-cache.ts';
export { matmul } from '../reference/matmul.ts';
export { qkNorm } from '../reference/qk-norm.ts';
export { quantiseWide } from '../reference/quantise.ts';
export { requantise } from '../reference/requantise.ts';
export { addSaturating } from '../reference/add-saturating.ts';
export { rmsNormQuantise } from '../reference/rms-norm.ts';
export { rope } from '../reference/rope.ts';
export { type Scale, sdiv } from '../reference/scale.ts';
export { swiglu } from '../reference/swiglu.ts';
export { type EngineInstance, instantiate } from '../wasm/kernels.ts';
export { Xorshift } from './xorshift.ts';
