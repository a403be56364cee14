import { type Graph, type Manifest, padTo } from '@commonweight/protocol';
import { limits } from '../limits.ts';
import { TensorWords } from '../tensor-words.ts';
import type { EngineMemory } from './engine-memory.ts';

/** Addresses that the executor needs of a model in the engine's memory. */
export interface ModelLayout {
  /** The `model` struct of kernels/model.h. */
  readonly model: number;
  /** int32 ids of one chunk. */
  readonly ids: number;
  /** `[chunk][commit points][width]` int32. */
  readonly committed: number;
  /** `[logitRows][logitStride]` int32. */
  readonly logits: number;
  readonly logitRows: number;
  readonly logitStride: number;
}

/** Writes the structs of kernels/model.h, field by field in their order, and gives the workspace its memory. */
export function layOutModel(manifest: Manifest, weights: number, memory: EngineMemory): ModelLayout {
  const { graph } = manifest;
  const tensors = new TensorWords(manifest, weights);
  const layers = store(memory, tensors.layers(), 'the list of layers');

  const workspace = allocateWorkspace(graph, memory);
  const model = store(
    memory,
    [
      [graph.layers, graph.width, graph.heads, graph.kvHeads, graph.headDimension, graph.ffnWidth, graph.commitPoints.length],
      [graph.normEpsilon % 2 ** 32, Math.floor(graph.normEpsilon / 2 ** 32)],
      [graph.attentionScale.mantissa, graph.attentionScale.exponent],
      [tensors.rope(), layers],
      tensors.matrix('token_embd'),
      tensors.matrix(graph.head === 'tied' ? 'token_embd' : 'output'),
      tensors.norm('output_norm'),
      workspace.words,
    ].flat(),
    'the model description',
  );
  const ids = memory.allocate(4 * limits.prefillChunk, 'ids');
  return { model, ids, ...workspace.outputs };
}

/** Bytes of one sequence's KV cache of `capacity` positions: see `kv_block_bytes` in kernels/model.h. */
export const cacheBytes = (graph: Graph, capacity: number): number =>
  graph.layers * graph.kvHeads * capacity * (2 * padTo(graph.headDimension, 16) + 8);

function store(memory: EngineMemory, words: readonly number[], what: string): number {
  const at = memory.allocate(4 * words.length, what);
  memory.int32(at, words.length).set(words);
  return at;
}

function allocateWorkspace(graph: Graph, memory: EngineMemory) {
  const { width, ffnWidth, context } = graph;
  const chunk = limits.prefillChunk;
  const attended = graph.heads * graph.headDimension;
  const kv = padTo(graph.kvHeads * graph.headDimension, 16);
  const columns = padTo(Math.max(width, ffnWidth, attended), 64);
  const logitStride = padTo(graph.vocabulary, 16);
  const logitRows = Math.max(1, Math.min(chunk, Math.floor(limits.logitBytes / (4 * logitStride))));
  const bytes = {
    x: 4 * chunk * width,
    input: 2 * chunk * columns,
    scales: 8 * chunk,
    q: 4 * chunk * padTo(attended, 16),
    k: 4 * chunk * kv,
    v: 4 * chunk * kv,
    gate: 4 * chunk * padTo(ffnWidth, 16),
    up: 4 * chunk * padTo(ffnWidth, 16),
    out: 4 * chunk * padTo(width, 16),
    wide: 8 * Math.max(width, ffnWidth),
    attended: 8 * attended,
    scores: 4 * context,
    weighted: 8 * context,
    probability: 2 * context,
    panel: 2 * 16 * limits.matmulBlock,
    sums: 8 * 16 * chunk,
    committed: 4 * chunk * graph.commitPoints.length * width,
    logits: 4 * logitRows * logitStride,
  };
  const words = Object.entries(bytes).map(([name, size]) => memory.allocate(size, `the workspace's ${name}`));
  return { words, outputs: { committed: words.at(-2)!, logits: words.at(-1)!, logitRows, logitStride } };
}
