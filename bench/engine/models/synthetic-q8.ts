import { type FloatTensor, writeQ8Gguf } from '@commonweight/models/testing';
import { type GgufVocabulary, llamaMetadata } from './llama-metadata.ts';
import { xorshift } from './random.ts';
import type { Shape } from './shapes.ts';

/** Writes a model of `shape` with seeded random weights as Q8_0: uniform with variance 1/columns, so that values neither grow nor die from layer to layer. */
export async function writeSyntheticQ8(
  name: string,
  shape: Shape,
  seed: number,
  path: string,
  onBytes: (done: number, total: number) => void,
  signal: AbortSignal,
): Promise<void> {
  await writeQ8Gguf(
    path,
    llamaMetadata(name, shape, 1e-5, plainVocabulary(shape.vocabulary)),
    tensorsOf(shape, xorshift(seed)),
    onBytes,
    signal,
  );
}

function tensorsOf(shape: Shape, random: () => number): FloatTensor[] {
  const { width, ffnWidth, vocabulary } = shape;
  const kvWidth = (width / shape.heads) * shape.kvHeads;
  const norm = (name: string): FloatTensor => ({ name: `${name}.weight`, rows: 1, columns: width, next: (row) => void row.fill(1) });
  const matrix = (name: string, rows: number, columns: number): FloatTensor => {
    const step = Math.sqrt(12 / columns) / 2 ** 32;
    const next = (row: Float64Array): void => {
      for (let i = 0; i < row.length; i++) row[i] = (random() - 2 ** 31) * step;
    };
    return { name: `${name}.weight`, rows, columns, next };
  };
  const layers = Array.from({ length: shape.layers }, (_, layer) => {
    const at = `blk.${layer}.`;
    return [
      norm(`${at}attn_norm`),
      matrix(`${at}attn_q`, width, width),
      matrix(`${at}attn_k`, kvWidth, width),
      matrix(`${at}attn_v`, kvWidth, width),
      matrix(`${at}attn_output`, width, width),
      norm(`${at}ffn_norm`),
      matrix(`${at}ffn_gate`, ffnWidth, width),
      matrix(`${at}ffn_up`, ffnWidth, width),
      matrix(`${at}ffn_down`, width, ffnWidth),
    ];
  }).flat();
  const head = shape.tiedHead ? [] : [matrix('output', vocabulary, width)];
  return [matrix('token_embd', vocabulary, width), ...layers, norm('output_norm'), ...head];
}

/** As many tokens as rows; nobody reads text with it. */
function plainVocabulary(size: number): GgufVocabulary {
  const tokens = ['<|endoftext|>', 't', '0', ...Array.from({ length: size - 3 }, (_, i) => `t${i}`)];
  return { pre: 'gpt-2', tokens, types: tokens.map((_, id) => (id === 0 ? 3 : 1)), merges: ['t 0'], eosId: 0, template: '{{ messages }}' };
}
