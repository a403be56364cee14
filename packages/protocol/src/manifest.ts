import { type Hex32, type ModelId, toHex, utf8 } from './bytes.ts';
import { DecodeError } from './errors.ts';
import { canonicalize } from './jcs.ts';
import { limits } from './limits.ts';
import { Fields } from './read.ts';
import { sha256 } from './sha256.ts';

/** Version of the integer semantics (SPEC part I). */
export const ENGINE_SPEC = 'int-transformer/2';

/**
 * An N x K int8 matrix in the packed layout `[N/16][K/4][16][4]`, K padded to 64 and N to 16 with zeros, with one integer multiplier for 64 columns
 * of a row and one for the row.
 */
export interface MatrixTensor {
  readonly kind: 'matrix';
  readonly name: string;
  /** N: outputs, before padding. */
  readonly rows: number;
  /** K: inputs, before padding. */
  readonly columns: number;
  /** E: the scale of weight (n, k) is `blockMultiplier[n][k / 64] / 16 * multiplier[n] * 2^-E`. */
  readonly exponent: number;
  /** b: bits of the activations that are multiplied with it (8 to 14). */
  readonly activationBits: number;
  /** Byte offset of the packed int8 weights in `weights.bin`, a multiple of 1,024. */
  readonly weights: number;
  /** Byte offset of the block multipliers, uint8 of at most 15, `[N/16][K/64][16]`: 16 bytes for each 1,024 bytes of weights, in their order; a multiple of 1,024. */
  readonly blockMultipliers: number;
  /** Byte offset of the N (padded to 16) int32 little-endian multipliers, a multiple of 1,024. */
  readonly multipliers: number;
}

/** RMSNorm weights: `length` int32 little-endian, value = integer * 2^-exponent. */
export interface NormTensor {
  readonly kind: 'norm';
  readonly name: string;
  readonly length: number;
  readonly exponent: number;
  readonly offset: number;
}

/** Added to what a matrix gives: `length` int32 little-endian, Q16 (SPEC section 6.1). */
export interface BiasTensor {
  readonly kind: 'bias';
  readonly name: string;
  readonly length: number;
  readonly offset: number;
}

/** RoPE table: `positions` x `pairs` x (cos, sin), int16 little-endian, 32767 = 1. */
export interface RopeTensor {
  readonly kind: 'rope';
  readonly name: string;
  readonly positions: number;
  readonly pairs: number;
  readonly offset: number;
}

export type Tensor = MatrixTensor | NormTensor | BiasTensor | RopeTensor;

/** Shape and operations of a decoder-only transformer. Every field changes results. */
export interface Graph {
  readonly layers: number;
  /** d: width of the residual stream. */
  readonly width: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDimension: number;
  readonly ffnWidth: number;
  readonly vocabulary: number;
  /** Positions that the RoPE table covers. */
  readonly context: number;
  /** EPS of SPEC section 4: max(1, round(eps * d * 2^24)). */
  readonly normEpsilon: number;
  /** Whether q, k and v each have a bias (SPEC section 6.1). */
  readonly qkvBias: boolean;
  /** RMSNorm of every head of q and k before RoPE (SPEC section 6.2), with EPS = max(1, round(eps * headDimension * 2^32)); null: none. */
  readonly qkNorm: { readonly epsilon: number } | null;
  /** log2(e)/sqrt(headDimension), times YaRN's attention factor squared, = mantissa * 2^(exponent - 16), 2^15 <= mantissa < 2^16. */
  readonly attentionScale: { readonly mantissa: number; readonly exponent: number };
  readonly rope: 'interleaved';
  /** `tied`: the head is the matrix `token_embd`. `untied`: it is `output`. */
  readonly head: 'tied' | 'untied';
  /** Layers whose residual stream is committed to, increasing; the last layer is always among them. */
  readonly commitPoints: readonly number[];
}

export interface ModelFile {
  readonly name: string;
  readonly size: number;
  /** Merkle root over 1,024-byte leaves. */
  readonly root: Hex32;
}

/** Defaults that a gateway applies to a chat request. Probabilities and temperature in millionths. */
export interface GenerationDefaults {
  readonly stopIds: readonly number[];
  readonly temperature: number;
  readonly topP: number;
  readonly topK: number;
}

/** What execution depends on, and nothing else. Its hash is the model id. */
export interface Manifest {
  readonly spec: typeof ENGINE_SPEC;
  readonly graph: Graph;
  readonly tensors: readonly Tensor[];
  readonly files: readonly ModelFile[];
  readonly generation: GenerationDefaults;
}

/** Names of the files of a package: weights, tokenizer, chat template. */
export const packageFiles = { weights: 'weights.bin', tokenizer: 'tokenizer.json', chatTemplate: 'chat_template.jinja' } as const;

/** Names of the tensors that layer `layer` may have. */
export function layerTensorNames(layer: number) {
  const at = `blk.${layer}.`;
  return {
    attentionNorm: `${at}attn_norm`,
    q: `${at}attn_q`,
    k: `${at}attn_k`,
    v: `${at}attn_v`,
    qBias: `${at}attn_q.bias`,
    kBias: `${at}attn_k.bias`,
    vBias: `${at}attn_v.bias`,
    qNorm: `${at}attn_q_norm`,
    kNorm: `${at}attn_k_norm`,
    o: `${at}attn_output`,
    ffnNorm: `${at}ffn_norm`,
    gate: `${at}ffn_gate`,
    up: `${at}ffn_up`,
    down: `${at}ffn_down`,
  } as const;
}

export const padTo = (value: number, multiple: number): number => Math.ceil(value / multiple) * multiple;

/** Bytes that a tensor's parts take in `weights.bin`, each part padded to 1,024. */
export function tensorParts(tensor: Tensor): readonly { readonly offset: number; readonly size: number }[] {
  const size = (bytes: number): number => padTo(bytes, limits.leafBytes);
  switch (tensor.kind) {
    case 'matrix':
      return [
        { offset: tensor.weights, size: padTo(tensor.rows, 16) * padTo(tensor.columns, 64) },
        { offset: tensor.blockMultipliers, size: size((padTo(tensor.rows, 16) * padTo(tensor.columns, 64)) / 64) },
        { offset: tensor.multipliers, size: size(4 * padTo(tensor.rows, 16)) },
      ];
    case 'norm':
    case 'bias':
      return [{ offset: tensor.offset, size: size(4 * tensor.length) }];
    case 'rope':
      return [{ offset: tensor.offset, size: size(4 * tensor.positions * tensor.pairs) }];
  }
}

/** SHA-256 of the canonical manifest. */
export const modelIdOf = (manifest: Manifest): ModelId => toHex(sha256(utf8(canonicalize(manifest))));

/** Reads an untrusted manifest: every count bounded, every tensor of the graph present once with the right shape, parts inside the file and disjoint. */
export function parseManifest(value: unknown): Manifest {
  const top = new Fields(value, '', ['spec', 'graph', 'tensors', 'files', 'generation']);
  const manifest: Manifest = {
    spec: top.literal('spec', [ENGINE_SPEC]),
    graph: parseGraph(top.raw('graph')),
    tensors: top.array('tensors', limits.tensors).map((tensor, i) => parseTensor(tensor, `tensors[${i}]`)),
    files: top.array('files', limits.files).map((file, i) => parseFile(file, `files[${i}]`)),
    generation: parseGeneration(top.raw('generation')),
  };
  checkTensors(manifest);
  return manifest;
}

function parseGraph(value: unknown): Graph {
  const f = new Fields(value, 'graph', [
    'layers',
    'width',
    'heads',
    'kvHeads',
    'headDimension',
    'ffnWidth',
    'vocabulary',
    'context',
    'normEpsilon',
    'qkvBias',
    'qkNorm',
    'attentionScale',
    'rope',
    'head',
    'commitPoints',
  ]);
  const qkNorm = f.raw('qkNorm') === null ? null : new Fields(f.raw('qkNorm'), 'graph.qkNorm', ['epsilon']);
  const scale = new Fields(f.raw('attentionScale'), 'graph.attentionScale', ['mantissa', 'exponent']);
  const graph: Graph = {
    layers: f.integer('layers', 1, limits.layers),
    width: f.integer('width', 1, limits.matrixColumns),
    heads: f.integer('heads', 1, limits.heads),
    kvHeads: f.integer('kvHeads', 1, limits.heads),
    headDimension: f.integer('headDimension', 2, limits.headDimension),
    ffnWidth: f.integer('ffnWidth', 1, limits.matrixColumns),
    vocabulary: f.integer('vocabulary', 2, limits.matrixRows),
    context: f.integer('context', 2, limits.positions),
    normEpsilon: f.integer('normEpsilon', 1, 2 ** 48),
    qkvBias: f.boolean('qkvBias'),
    qkNorm: qkNorm && { epsilon: qkNorm.integer('epsilon', 1, 2 ** 48) },
    attentionScale: { mantissa: scale.integer('mantissa', 1 << 15, (1 << 16) - 1), exponent: scale.integer('exponent', -32, 8) },
    rope: f.literal('rope', ['interleaved']),
    head: f.literal('head', ['tied', 'untied']),
    commitPoints: f.integers('commitPoints', limits.layers, 0, limits.layers - 1),
  };
  if (graph.heads % graph.kvHeads !== 0) throw new DecodeError('graph.kvHeads', 'a divisor of graph.heads', graph.kvHeads);
  if (graph.headDimension % 2 !== 0) throw new DecodeError('graph.headDimension', 'an even number', graph.headDimension);
  if (graph.heads * graph.headDimension > limits.matrixColumns)
    throw new DecodeError('graph.heads', `heads * headDimension <= ${limits.matrixColumns}`, graph.heads);
  const points = graph.commitPoints;
  if (points.at(-1) !== graph.layers - 1 || points.some((point, i) => i > 0 && point <= points[i - 1]!)) {
    throw new DecodeError('graph.commitPoints', 'increasing layers that end with the last layer', points);
  }
  return graph;
}

function parseTensor(value: unknown, path: string): Tensor {
  const kind = (value as { kind?: unknown } | null)?.kind;
  const offset = (f: Fields, key: string): number => {
    const at = f.integer(key, 0, limits.modelFileBytes);
    if (at % limits.leafBytes !== 0) throw new DecodeError(f.name(key), `a multiple of ${limits.leafBytes}`, at);
    return at;
  };
  if (kind === 'matrix') {
    const f = new Fields(value, path, [
      'kind',
      'name',
      'rows',
      'columns',
      'exponent',
      'activationBits',
      'weights',
      'blockMultipliers',
      'multipliers',
    ]);
    return {
      kind,
      name: f.string('name', 64, /^[a-z0-9_.]+$/),
      rows: f.integer('rows', 1, limits.matrixRows),
      columns: f.integer('columns', 1, limits.matrixColumns),
      exponent: f.integer('exponent', -64, 64),
      activationBits: f.integer('activationBits', 8, 14),
      weights: offset(f, 'weights'),
      blockMultipliers: offset(f, 'blockMultipliers'),
      multipliers: offset(f, 'multipliers'),
    };
  }
  if (kind === 'norm') {
    const f = new Fields(value, path, ['kind', 'name', 'length', 'exponent', 'offset']);
    return {
      kind,
      name: f.string('name', 64, /^[a-z0-9_.]+$/),
      length: f.integer('length', 1, limits.matrixColumns),
      exponent: f.integer('exponent', -64, 64),
      offset: offset(f, 'offset'),
    };
  }
  if (kind === 'bias') {
    const f = new Fields(value, path, ['kind', 'name', 'length', 'offset']);
    return {
      kind,
      name: f.string('name', 64, /^[a-z0-9_.]+$/),
      length: f.integer('length', 1, limits.matrixColumns),
      offset: offset(f, 'offset'),
    };
  }
  if (kind === 'rope') {
    const f = new Fields(value, path, ['kind', 'name', 'positions', 'pairs', 'offset']);
    return {
      kind,
      name: f.string('name', 64, /^[a-z0-9_.]+$/),
      positions: f.integer('positions', 1, limits.positions),
      pairs: f.integer('pairs', 1, limits.headDimension / 2),
      offset: offset(f, 'offset'),
    };
  }
  throw new DecodeError(`${path}.kind`, 'matrix, norm, bias or rope', kind);
}

function parseFile(value: unknown, path: string): ModelFile {
  const f = new Fields(value, path, ['name', 'size', 'root']);
  return {
    name: f.string('name', 64, /^[a-z0-9_]+(?:\.[a-z0-9_]+)*$/),
    size: f.integer('size', 0, limits.modelFileBytes),
    root: f.hex32('root'),
  };
}

function parseGeneration(value: unknown): GenerationDefaults {
  const f = new Fields(value, 'generation', ['stopIds', 'temperature', 'topP', 'topK']);
  return {
    stopIds: f.integers('stopIds', limits.stopIds, 0, limits.matrixRows - 1),
    temperature: f.integer('temperature', 0, 100_000_000),
    topP: f.integer('topP', 1, 1_000_000),
    topK: f.integer('topK', 0, limits.matrixRows),
  };
}

/** What a graph demands of a tensor other than the RoPE table. */
export type TensorShape =
  | { readonly kind: 'matrix'; readonly rows: number; readonly columns: number }
  | { readonly kind: 'norm'; readonly length: number }
  | { readonly kind: 'bias'; readonly length: number };

/** The tensors that a graph needs beside the RoPE table, by name, with their shapes. */
export function expectedTensors(graph: Graph): Map<string, TensorShape> {
  const { width, ffnWidth, vocabulary } = graph;
  const q = graph.heads * graph.headDimension;
  const kv = graph.kvHeads * graph.headDimension;
  const matrix = (rows: number, columns: number): TensorShape => ({ kind: 'matrix', rows, columns });
  const norm = (length: number): TensorShape => ({ kind: 'norm', length });
  const bias = (length: number): TensorShape => ({ kind: 'bias', length });
  const shapes = new Map<string, TensorShape>([
    ['token_embd', matrix(vocabulary, width)],
    ['output_norm', norm(width)],
  ]);
  if (graph.head === 'untied') shapes.set('output', matrix(vocabulary, width));
  for (let layer = 0; layer < graph.layers; layer++) {
    const names = layerTensorNames(layer);
    shapes.set(names.attentionNorm, norm(width)).set(names.ffnNorm, norm(width));
    shapes.set(names.q, matrix(q, width)).set(names.k, matrix(kv, width)).set(names.v, matrix(kv, width)).set(names.o, matrix(width, q));
    if (graph.qkvBias) shapes.set(names.qBias, bias(q)).set(names.kBias, bias(kv)).set(names.vBias, bias(kv));
    if (graph.qkNorm) shapes.set(names.qNorm, norm(graph.headDimension)).set(names.kNorm, norm(graph.headDimension));
    shapes.set(names.gate, matrix(ffnWidth, width)).set(names.up, matrix(ffnWidth, width)).set(names.down, matrix(width, ffnWidth));
  }
  return shapes;
}

const shapeText = (shape: TensorShape): string =>
  `${shape.kind} ${shape.kind === 'matrix' ? `${shape.rows} x ${shape.columns}` : shape.length}`;

function checkTensors({ graph, tensors, files }: Manifest): void {
  const expected = expectedTensors(graph);
  const seen = new Set<string>();
  for (const tensor of tensors) {
    const where = `tensors[${tensor.name}]`;
    if (seen.has(tensor.name)) throw new DecodeError(where, 'each tensor once', 'a second one');
    seen.add(tensor.name);
    if (tensor.kind === 'rope') {
      if (tensor.name !== 'rope' || tensor.positions !== graph.context || tensor.pairs !== graph.headDimension / 2) {
        throw new DecodeError(
          where,
          `the table rope of ${graph.context} x ${graph.headDimension / 2}`,
          `${tensor.positions} x ${tensor.pairs}`,
        );
      }
      continue;
    }
    const shape = expected.get(tensor.name);
    if (shape === undefined) throw new DecodeError(where, 'a tensor of the graph', tensor.name);
    if (shapeText(shape) !== shapeText(tensor)) throw new DecodeError(where, shapeText(shape), shapeText(tensor));
  }
  for (const name of [...expected.keys(), 'rope']) if (!seen.has(name)) throw new DecodeError('tensors', `the tensor ${name}`, undefined);

  const names = files.map((file) => file.name);
  const required = Object.values(packageFiles);
  if (names.length !== required.length || required.some((name) => !names.includes(name))) {
    throw new DecodeError('files', required.join(', '), names.join(', '));
  }
  const size = files.find((file) => file.name === packageFiles.weights)!.size;
  const parts = tensors.flatMap(tensorParts).sort((a, b) => a.offset - b.offset);
  let end = 0;
  for (const part of parts) {
    if (part.offset !== end) throw new DecodeError('tensors', `the next part at byte ${end}`, part.offset);
    end = part.offset + part.size;
  }
  if (end !== size) throw new DecodeError('files[weights.bin].size', `the ${end} bytes that the tensors take`, size);
}
