import { type Graph, type Manifest, type Tensor, layerTensorNames, padTo } from '@commonweight/protocol';
import { TensorError } from './reference/tensor-error.ts';

type LayerTensorNames = ReturnType<typeof layerTensorNames>;

/** Fields of the structs `matrix` and `norm` of kernels/model.h, with `base` added to every offset into `weights.bin`. */
export class TensorWords {
  readonly #tensors: ReadonlyMap<string, Tensor>;
  readonly #graph: Graph;
  readonly #base: number;
  readonly #none: number;

  /** @param none - what stands for the address of a part that the graph does not have */
  constructor({ graph, tensors }: Manifest, base: number, none: number) {
    this.#none = none;
    this.#graph = graph;
    this.#tensors = new Map(tensors.map((tensor) => [tensor.name, tensor]));
    this.#base = base;
  }

  matrix(name: string): number[] {
    const { weights, blockMultipliers, multipliers, rows, columns, exponent, activationBits } = this.#find(name, 'matrix');
    const addresses = [weights, blockMultipliers, multipliers].map((offset) => this.#base + offset);
    return [...addresses, padTo(rows, 16), padTo(columns, 64), exponent, activationBits];
  }

  norm(name: string): number[] {
    const { offset, exponent } = this.#find(name, 'norm');
    return [this.#base + offset, exponent];
  }

  #biases({ qBias, kBias, vBias }: LayerTensorNames): number[] {
    return [qBias, kBias, vBias].map((name) => (this.#graph.qkvBias ? this.#base + this.#find(name, 'bias').offset : this.#none));
  }

  #headNorms({ qNorm, kNorm }: LayerTensorNames): number[] {
    return [qNorm, kNorm].flatMap((name) => (this.#graph.qkNorm ? this.norm(name) : [this.#none, 0]));
  }

  rope(): number {
    return this.#base + this.#find('rope', 'rope').offset;
  }

  /** The structs `layer`, one after the other. */
  layers(): number[] {
    const points = new Map(this.#graph.commitPoints.map((layer, point) => [layer, point]));
    return Array.from({ length: this.#graph.layers }, (_, i) => {
      const names = layerTensorNames(i);
      const matrices = [names.q, names.k, names.v, names.o, names.gate, names.up, names.down];
      return [
        ...this.norm(names.attentionNorm),
        ...this.norm(names.ffnNorm),
        ...matrices.flatMap((name) => this.matrix(name)),
        ...this.#biases(names),
        ...this.#headNorms(names),
        points.get(i) ?? -1,
      ];
    }).flat();
  }

  #find<K extends Tensor['kind']>(name: string, kind: K): Extract<Tensor, { kind: K }> {
    const tensor = this.#tensors.get(name);
    if (tensor?.kind !== kind) throw new TensorError(name, `a ${kind}`, tensor?.kind ?? 'nothing');
    return tensor as Extract<Tensor, { kind: K }>;
  }
}
