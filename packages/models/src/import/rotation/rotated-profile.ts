import type { Graph } from '@commonweight/protocol';
import { readVector } from '../matrix.ts';
import type { Conversion } from '../profile.ts';
import { type RealMatrix, storedMatrix } from '../real-matrix.ts';
import type { StoredTensor } from '../stored-tensor.ts';
import { ones, rotatedHeads, rotatedInput, rotatedOutput, withNorm } from './rotated-matrices.ts';
import { type Rotation, rotationOf } from './rotation.ts';

/** Inputs with outliers that no rotation of the residual stream reaches, and the logits. */
const WIDE = /^output$|^token_embd$|\.ffn_down$/;

/**
 * The profile `int8` (SPEC section 2.3; QuaRot, arXiv 2404.00456, without its online rotations): the residual stream and every head's values are turned by random
 * orthogonal matrices, which spreads outliers over all elements, and the weights undo it. Norms lose their weights to the matrices behind them. In exact
 * arithmetic the model computes the same function. A tied head becomes an untied one: it has norm weights that the embedding must not have.
 */
export function rotatedProfile(graph: Graph, tensors: ReadonlyMap<string, StoredTensor>): Conversion {
  const { heads, kvHeads, headDimension } = graph;
  const residual = rotationOf(graph.width, 'residual', 'graph.width');
  const valuesOf = (layer: string): Rotation[] =>
    Array.from({ length: kvHeads }, (_, g) => rotationOf(headDimension, `values ${layer} ${g}`, 'graph.headDimension'));
  valuesOf('0'); // refuses before anything is converted
  const norm = (name: string): Float64Array => readVector(storedMatrix(tensors.get(`${name}.weight`)!));
  const reader = (matrix: RealMatrix, of: string): RealMatrix => rotatedInput(withNorm(matrix, norm(of)), residual);

  const real = (name: string, stored: StoredTensor): RealMatrix => {
    const matrix = storedMatrix(stored);
    if (name === 'token_embd') return rotatedInput(matrix, residual);
    if (name === 'output') return reader(matrix, 'output_norm');
    if (name === 'output_norm') return ones(matrix);
    const [, layer = '', part = ''] = /^blk\.(\d+)\.(.+)$/.exec(name) ?? [];
    const at = `blk.${layer}.`;
    switch (part) {
      case 'attn_norm':
      case 'ffn_norm':
        return ones(matrix);
      case 'attn_q':
      case 'attn_k':
        return reader(matrix, `${at}attn_norm`);
      case 'attn_v':
        return rotatedOutput(reader(matrix, `${at}attn_norm`), valuesOf(layer));
      case 'attn_v.bias':
        return rotatedHeads(matrix, valuesOf(layer));
      case 'attn_output': {
        const values = valuesOf(layer);
        const ofHeads = Array.from({ length: heads }, (_, h) => values[Math.floor(h / (heads / kvHeads))]!);
        return rotatedOutput(rotatedHeads(matrix, ofHeads), [residual]);
      }
      case 'ffn_gate':
      case 'ffn_up':
        return reader(matrix, `${at}ffn_norm`);
      case 'ffn_down':
        return rotatedOutput(matrix, [residual]);
      default: // q and k biases, norms of heads: nothing turns there
        return matrix;
    }
  };

  const head = tensors.get('token_embd.weight');
  const tied = graph.head === 'tied' && head !== undefined && !tensors.has('output.weight');
  return {
    graph: tied ? { ...graph, head: 'untied' } : graph,
    tensors: tied ? new Map([...tensors, ['output.weight', head]]) : tensors,
    activationBits: (name) => (WIDE.test(name) ? 14 : 8),
    real,
  };
}
