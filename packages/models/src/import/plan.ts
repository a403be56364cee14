import {
  CommonweightError,
  ENGINE_SPEC,
  expectedTensors,
  type GenerationDefaults,
  type Graph,
  limits as protocolLimits,
  type Manifest,
  type ModelFile,
  packageFiles,
  padTo,
  parseManifest,
  type Tensor,
  tensorParts,
  type TensorShape,
  ZERO_HEX32,
} from '@commonweight/protocol';
import type { Conversion } from './profile.ts';
import type { RealMatrix } from './real-matrix.ts';

/** A tensor of the package with the numbers that it is made from; the RoPE table has none. Exponents are still 0. */
export interface PlannedTensor {
  readonly tensor: Tensor;
  /** Opens them: what it returns may hold the tensor in memory, and is for one conversion. */
  readonly from: (() => RealMatrix) | undefined;
}

export interface Plan {
  readonly tensors: readonly PlannedTensor[];
  /** Bytes of weights.bin. */
  readonly size: number;
}

const refuse = (field: string, expected: string, got: string): never => {
  throw new CommonweightError(`${field}: expected ${expected}, got ${got}`, { code: 'model_unsupported', field });
};

/** Ours leave `.weight` away; a bias has its whole name. */
const ggufName = (name: string, { kind }: TensorShape): string => (kind === 'bias' ? name : `${name}.weight`);

/** GGUF's names of the tensors that a graph has. */
export const storedNames = (graph: Graph): Set<string> =>
  new Set([...expectedTensors(graph)].map(([name, shape]) => ggufName(name, shape)));

/** Lays weights.bin out: the RoPE table, then the graph's tensors in the order of `expectedTensors`. Refuses missing, misshapen and unknown tensors. */
export function planWeights({ graph, tensors: stored, activationBits, real }: Conversion): Plan {
  const tensors: PlannedTensor[] = [];
  let end = 0;
  const place = (tensor: Tensor, from: PlannedTensor['from']): void => {
    tensors.push({ tensor, from });
    for (const part of tensorParts(tensor)) end = Math.max(end, part.offset + part.size);
  };
  place({ kind: 'rope', name: 'rope', positions: graph.context, pairs: graph.headDimension / 2, offset: 0 }, undefined);

  const expected = expectedTensors(graph);
  for (const [name, shape] of expected) {
    const storedName = ggufName(name, shape);
    const found = stored.get(storedName) ?? refuse(`tensor ${storedName}`, 'this tensor', 'nothing');
    const wanted = shape.kind === 'matrix' ? [shape.columns, shape.rows] : [shape.length];
    if (String(found.shape) !== String(wanted)) refuse(`tensor ${storedName}`, `shape ${wanted.join(' x ')}`, found.shape.join(' x '));
    const from = (): RealMatrix => real(name, found);
    if (shape.kind === 'norm') {
      place({ ...shape, name, exponent: 0, offset: end }, from);
    } else if (shape.kind === 'bias') {
      place({ ...shape, name, offset: end }, from);
    } else {
      const { rows, columns } = shape;
      const bytes = padTo(rows, 16) * padTo(columns, 64);
      const blockMultipliers = end + bytes;
      const multipliers = blockMultipliers + padTo(bytes / 64, protocolLimits.leafBytes);
      const offsets = { weights: end, blockMultipliers, multipliers };
      place({ kind: 'matrix', name, rows, columns, exponent: 0, activationBits: activationBits(name), ...offsets }, from);
    }
  }
  const known = storedNames(graph);
  for (const name of stored.keys()) {
    if (!known.has(name)) refuse(`tensor ${JSON.stringify(name)}`, 'only tensors that the engine uses', 'one that would be ignored');
  }
  if (end > protocolLimits.modelFileBytes) refuse('tensors', `at most ${protocolLimits.modelFileBytes} bytes of weights`, String(end));
  return { tensors, size: end };
}

/** A manifest that has passed the protocol's own reader. */
export function buildManifest(
  graph: Graph,
  tensors: readonly Tensor[],
  files: readonly ModelFile[],
  generation: GenerationDefaults,
): Manifest {
  return parseManifest({ spec: ENGINE_SPEC, graph, tensors, files, generation });
}

/** Runs every check of the manifest before a byte is converted, with digests still open. */
export function checkPlan(graph: Graph, plan: Plan, generation: GenerationDefaults): void {
  const files = Object.values(packageFiles).map((name) => ({
    name,
    size: name === packageFiles.weights ? plan.size : 0,
    root: ZERO_HEX32,
  }));
  buildManifest(
    graph,
    plan.tensors.map(({ tensor }) => tensor),
    files,
    generation,
  );
}
