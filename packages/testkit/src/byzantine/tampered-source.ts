import type { WeightsSource } from '@commonweight/engine';
import { CommonweightError, type Manifest, layerTensorNames, padTo } from '@commonweight/protocol';

export interface Tampering {
  /** Layer whose down projection is changed. */
  readonly layer: number;
  /** Blocks of 16 output rows whose weights change sign, from the first row on. */
  readonly blocks: number;
}

/** A few rows in the middle of the model: the text stays fluent, and every commit point from that layer on differs from the first position on. */
export const slight = ({ graph }: Manifest): Tampering => ({ layer: Math.floor(graph.layers / 2), blocks: 1 });

/** Enough that other tokens come out soon, and still text. */
export const strong = ({ graph }: Manifest): Tampering => ({
  layer: Math.floor(graph.layers / 2),
  blocks: Math.max(1, Math.floor(graph.width / 32)),
});

/** The weights of another model under the manifest of this one: some weights change sign on their way into memory. */
export function tamperedSource(manifest: Manifest, source: WeightsSource, { layer, blocks }: Tampering): WeightsSource {
  const { down } = layerTensorNames(layer);
  const tensor = manifest.tensors.find(({ name }) => name === down);
  if (tensor?.kind !== 'matrix') throw new CommonweightError(`${down}: expected a matrix of the model`, { code: 'tampering' });
  // the packed layout keeps 16 rows together
  const start = tensor.weights;
  const end = start + blocks * 16 * padTo(tensor.columns, 64);
  return {
    read: (offset, target) => {
      source.read(offset, target);
      const from = Math.max(start - offset, 0);
      const to = Math.min(end - offset, target.length);
      const weights = new Int8Array(target.buffer, target.byteOffset, target.length);
      for (let i = from; i < to; i++) weights[i] = -weights[i]!;
    },
  };
}
