import { type Graph, type Manifest, padTo } from '@commonweight/protocol';
import { limits } from '../limits.ts';
import { TensorWords } from '../tensor-words.ts';
import type { EngineMemory } from './engine-memory.ts';

/** `UNIT` of kernels/step.h. */
const UNIT = 32;
/** Of the struct `team` of kernels/team.h, two lines of cache between what threads change included. */
const TEAM_WORDS = 35;
/** The end of the struct `worker`: no order yet. */
const ORDER_WORDS: readonly number[] = Array<number>(9).fill(0);

/** Addresses that the executor needs of a model in the engine's memory. */
export interface ModelLayout {
  /** The `model` struct of kernels/model.h. */
  readonly model: number;
  /** The `worker` structs of kernels/team.h, the caller's first. */
  readonly workers: readonly number[];
  /** `row` structs of one step, or the places of rows whose logits are wanted. */
  readonly rows: number;
  /** `[chunk][commit points][width]` int32. */
  readonly committed: number;
  /** `[logitRows][logitStride]` int32. */
  readonly logits: number;
  readonly logitRows: number;
  readonly logitStride: number;
}

/** Writes the structs of kernels/model.h, field by field in their order, and gives the workspace its memory. */
export function layOutModel(manifest: Manifest, weights: number, memory: EngineMemory, threads = 1): ModelLayout {
  const { graph } = manifest;
  const tensors = new TensorWords(manifest, weights, 0);
  const layers = store(memory, tensors.layers(), 'the list of layers');

  const workspace = allocateWorkspace(graph, memory);
  const model = store(
    memory,
    [
      [graph.layers, graph.width, graph.heads, graph.kvHeads, graph.headDimension, graph.ffnWidth, graph.commitPoints.length],
      [graph.normEpsilon, graph.qkNorm?.epsilon ?? 0].flatMap((epsilon) => [epsilon % 2 ** 32, Math.floor(epsilon / 2 ** 32)]),
      [graph.attentionScale.mantissa, graph.attentionScale.exponent],
      [tensors.rope(), layers],
      tensors.matrix('token_embd'),
      tensors.matrix(graph.head === 'tied' ? 'token_embd' : 'output'),
      tensors.norm('output_norm'),
      workspace.words,
    ].flat(),
    'the model description',
  );
  const rows = memory.allocate(16 * limits.prefillChunk, 'the rows of a step');
  const workers = layOutTeam(graph, memory, threads);
  return { model, workers, rows, ...workspace.outputs };
}

/** The struct `team` and its workers. */
function layOutTeam(graph: Graph, memory: EngineMemory, threads: number): number[] {
  const team = memory.allocate(4 * TEAM_WORDS, 'the team');
  const scratch = Array.from({ length: threads }, () => allocateScratch(graph, memory));
  const workers = store(
    memory,
    scratch.flatMap((words, index) => [team, index, ...words, ...ORDER_WORDS]),
    'the workers of the team',
  );
  memory.int32(team, TEAM_WORDS).set([threads, limits.threadPatienceSeconds, workers]);
  return scratch.map((words, index) => workers + index * 4 * (2 + words.length + ORDER_WORDS.length));
}

function store(memory: EngineMemory, words: readonly number[], what: string): number {
  const at = memory.allocate(4 * words.length, what);
  memory.int32(at, words.length).set(words);
  return at;
}

/** Padded columns of the widest matrix. */
const widestInput = ({ width, ffnWidth, heads, headDimension }: Graph): number =>
  padTo(Math.max(width, ffnWidth, heads * headDimension), 64);

const allocateAll = (memory: EngineMemory, bytes: Readonly<Record<string, number>>, of: string): number[] =>
  Object.entries(bytes).map(([name, size]) => memory.allocate(size, `the ${of}'s ${name}`));

/** The struct `workspace`. */
function allocateWorkspace(graph: Graph, memory: EngineMemory) {
  const chunk = limits.prefillChunk;
  const attended = graph.heads * graph.headDimension;
  const kv = padTo(graph.kvHeads * graph.headDimension, 16);
  const logitStride = padTo(graph.vocabulary, 16);
  const logitRows = Math.max(1, Math.min(chunk, Math.floor(limits.logitBytes / (4 * logitStride))));
  const bytes = {
    x: 4 * chunk * graph.width,
    input: 2 * chunk * widestInput(graph),
    scales: 8 * chunk,
    q: 4 * chunk * padTo(attended, 16),
    k: 4 * chunk * kv,
    v: 4 * chunk * kv,
    attended: 8 * chunk * attended,
    activated: 8 * chunk * padTo(graph.ffnWidth, 16),
    committed: 4 * chunk * graph.commitPoints.length * graph.width,
    logits: 4 * logitRows * logitStride,
  };
  const words = allocateAll(memory, bytes, 'workspace');
  return { words, outputs: { committed: words.at(-2)!, logits: words.at(-1)!, logitRows, logitStride } };
}

/** The struct `scratch`. */
function allocateScratch(graph: Graph, memory: EngineMemory): number[] {
  const { width, context } = graph;
  const chunk = limits.prefillChunk;
  const bytes = {
    input: 2 * widestInput(graph),
    scales: 8,
    wide: 8 * width,
    scores: 4 * context,
    weighted: 8 * context,
    probability: 2 * context,
    panel: 2 * 8 * limits.panelColumns,
    sums: 8 * 16 * chunk,
    tile: 4 * 2 * chunk * UNIT,
  };
  return allocateAll(memory, bytes, 'scratch');
}
