import { type Graph, type Manifest, padTo } from '@commonweight/protocol';
import { limits } from '../limits.ts';
import { TensorWords } from '../tensor-words.ts';

/** Rows of logits that are computed at once, and int32 from one to the next. */
export function logitShape({ vocabulary }: Graph): { readonly rows: number; readonly stride: number } {
  const stride = padTo(vocabulary, 16);
  return { rows: Math.max(1, Math.min(limits.nativeChunk, Math.floor(limits.logitBytes / (4 * stride)))), stride };
}

/** The model in the order in which kernels/native/loaded-model.h reads it; offsets count from the beginning of `weights.bin`. */
export function modelWords(manifest: Manifest): BigInt64Array {
  const { graph } = manifest;
  const tensors = new TensorWords(manifest, 0, -1);
  const words = [
    [graph.layers, graph.width, graph.heads, graph.kvHeads, graph.headDimension, graph.ffnWidth, graph.commitPoints.length],
    [graph.vocabulary, graph.context, limits.nativeChunk, logitShape(graph).rows],
    [graph.normEpsilon, graph.qkNorm?.epsilon ?? 0, graph.attentionScale.mantissa, graph.attentionScale.exponent, tensors.rope()],
    tensors.matrix('token_embd'),
    tensors.matrix(graph.head === 'tied' ? 'token_embd' : 'output'),
    tensors.norm('output_norm'),
    tensors.layers(),
  ].flat();
  return BigInt64Array.from(words, BigInt);
}
