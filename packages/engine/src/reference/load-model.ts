import { type Graph, type Manifest, type Tensor, layerTensorNames, padTo } from '@commonweight/protocol';
import type { WeightsSource } from '../executor.ts';
import { limits } from '../limits.ts';
import { blockIndex, checkBiasData, checkManifestTensors, checkMatrixData, checkNormData, packedIndex } from './check-tensors.ts';
import type { NormWeights } from './rms-norm.ts';
import { TensorError } from './tensor-error.ts';

/** A matrix unpacked for reading: `weights` is row-major rows x columns without padding. */
export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly exponent: number;
  readonly activationBits: number;
  readonly weights: Int8Array;
  /** Row-major: `rows` times one for each 64 columns. */
  readonly blockMultipliers: Uint8Array;
  readonly multipliers: Int32Array;
}

export interface Layer {
  readonly attentionNorm: NormWeights;
  readonly q: Matrix;
  readonly k: Matrix;
  readonly v: Matrix;
  /** Of q, k and v; undefined where the graph has none. */
  readonly biases: readonly [q: Int32Array, k: Int32Array, v: Int32Array] | undefined;
  /** Norms of the heads of q and k; undefined where the graph has none. */
  readonly qkNorms: readonly [q: NormWeights, k: NormWeights] | undefined;
  readonly o: Matrix;
  readonly ffnNorm: NormWeights;
  readonly gate: Matrix;
  readonly up: Matrix;
  readonly down: Matrix;
}

export interface Model {
  readonly graph: Graph;
  readonly embedding: Matrix;
  readonly layers: readonly Layer[];
  readonly outputNorm: NormWeights;
  readonly head: Matrix;
  /** `context` rows of `headDimension` values: interleaved (cos, sin). */
  readonly rope: Int16Array;
}

/** Reads and checks every tensor; the model then lives in memory unpacked (about the size of the file). */
export function loadModel(manifest: Manifest, source: WeightsSource): Model {
  checkManifestTensors(manifest);
  const { graph } = manifest;
  const reader = new TensorReader(manifest, source);
  const embedding = reader.matrix('token_embd');
  return {
    graph,
    embedding,
    layers: Array.from({ length: graph.layers }, (_, i) => {
      const names = layerTensorNames(i);
      return {
        attentionNorm: reader.norm(names.attentionNorm),
        q: reader.matrix(names.q),
        k: reader.matrix(names.k),
        v: reader.matrix(names.v),
        biases: graph.qkvBias ? [reader.bias(names.qBias), reader.bias(names.kBias), reader.bias(names.vBias)] : undefined,
        qkNorms: graph.qkNorm ? [reader.norm(names.qNorm), reader.norm(names.kNorm)] : undefined,
        o: reader.matrix(names.o),
        ffnNorm: reader.norm(names.ffnNorm),
        gate: reader.matrix(names.gate),
        up: reader.matrix(names.up),
        down: reader.matrix(names.down),
      };
    }),
    outputNorm: reader.norm('output_norm'),
    head: graph.head === 'tied' ? embedding : reader.matrix('output'),
    rope: reader.rope(),
  };
}

class TensorReader {
  readonly #tensors: ReadonlyMap<string, Tensor>;
  readonly #source: WeightsSource;

  constructor(manifest: Manifest, source: WeightsSource) {
    this.#tensors = new Map(manifest.tensors.map((tensor) => [tensor.name, tensor]));
    this.#source = source;
  }

  matrix(name: string): Matrix {
    const tensor = this.#find(name, 'matrix');
    const { rows, columns, exponent, activationBits } = tensor;
    const paddedColumns = padTo(columns, 64);
    const packed = new Int8Array(this.#bytes(tensor.weights, padTo(rows, 16) * paddedColumns).buffer);
    const multipliers = this.#int32(tensor.multipliers, padTo(rows, 16));
    const blocks = paddedColumns / limits.blockColumns;
    const packedBlocks = this.#bytes(tensor.blockMultipliers, padTo(rows, 16) * blocks);
    checkMatrixData(tensor, packed, packedBlocks, multipliers);
    const weights = new Int8Array(rows * columns);
    const blockMultipliers = new Uint8Array(rows * blocks);
    for (let n = 0; n < rows; n++) {
      for (let k = 0; k < columns; k++) weights[n * columns + k] = packed[packedIndex(n, k, paddedColumns)]!;
      for (let g = 0; g < blocks; g++) blockMultipliers[n * blocks + g] = packedBlocks[blockIndex(n, g, blocks)]!;
    }
    return { rows, columns, exponent, activationBits, weights, blockMultipliers, multipliers: multipliers.subarray(0, rows) };
  }

  norm(name: string): NormWeights {
    const tensor = this.#find(name, 'norm');
    const weights = this.#int32(tensor.offset, tensor.length);
    checkNormData(tensor, weights);
    return { weights, exponent: tensor.exponent };
  }

  bias(name: string): Int32Array {
    const tensor = this.#find(name, 'bias');
    const values = this.#int32(tensor.offset, tensor.length);
    checkBiasData(tensor, values);
    return values;
  }

  rope(): Int16Array {
    const { offset, positions, pairs } = this.#find('rope', 'rope');
    const bytes = this.#bytes(offset, 4 * positions * pairs);
    const view = new DataView(bytes.buffer);
    return Int16Array.from({ length: 2 * positions * pairs }, (_, i) => view.getInt16(2 * i, true));
  }

  #find<K extends Tensor['kind']>(name: string, kind: K): Extract<Tensor, { kind: K }> {
    const tensor = this.#tensors.get(name);
    if (tensor?.kind !== kind) throw new TensorError(name, `a ${kind}`, tensor?.kind ?? 'nothing');
    return tensor as Extract<Tensor, { kind: K }>;
  }

  #bytes(offset: number, size: number): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(size);
    this.#source.read(offset, bytes);
    return bytes;
  }

  #int32(offset: number, length: number): Int32Array {
    const view = new DataView(this.#bytes(offset, 4 * length).buffer);
    return Int32Array.from({ length }, (_, i) => view.getInt32(4 * i, true));
  }
}
