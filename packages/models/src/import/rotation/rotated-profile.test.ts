import { beforeAll, describe, expect, it } from 'vitest';
import { memorySource } from '../../gguf/byte-source.ts';
import { parseGguf } from '../../gguf/parse-gguf.ts';
import { tinyModel } from '../../testing/tiny-model.ts';
import { graphFromGguf } from '../graph-from-gguf.ts';
import { type Conversion, conversionOf } from '../profile.ts';
import { rotationOf } from './rotation.ts';

const source = memorySource(tinyModel({ width: 96, heads: 6, kvHeads: 3 }));
const gguf = parseGguf(source);
const { graph } = graphFromGguf(gguf, source);
const stored = new Map([...gguf.tensors].map(([name, tensor]) => [name, { ...tensor, source }]));
const { width, heads, kvHeads, headDimension } = graph;

/** y = W x with the matrix as a profile has it. */
function times({ real, tensors }: Conversion, name: string, x: Float64Array): Float64Array {
  const matrix = real(name, tensors.get(`${name}.weight`)!);
  const row = new Float64Array(matrix.columns);
  return Float64Array.from({ length: matrix.rows }, (_, n) => {
    matrix.read(n, row);
    return row.reduce((sum, value, k) => sum + value * x[k]!, 0);
  });
}

function vector({ real, tensors }: Conversion, name: string): Float64Array {
  const matrix = real(name, tensors.get(`${name}.weight`)!);
  const row = new Float64Array(matrix.columns);
  matrix.read(0, row);
  return row;
}

/** Every query head reads the values of its KV head. */
const spread = (values: Float64Array): Float64Array =>
  Float64Array.from({ length: heads * headDimension }, (_, i) => {
    const group = Math.floor(Math.floor(i / headDimension) / (heads / kvHeads));
    return values[group * headDimension + (i % headDimension)]!;
  });

const product = (a: Float64Array, b: Float64Array): Float64Array => a.map((value, i) => value * b[i]!);
const expectClose = (a: Float64Array, b: Float64Array): void => {
  expect(a.length).toBe(b.length);
  for (const [i, value] of a.entries()) expect(value).toBeCloseTo(b[i]!, 9);
};

describe('the rotated profile computes the same function in exact arithmetic', () => {
  const plain = conversionOf('default', graph, stored);
  const rotated = conversionOf('int8', graph, stored);
  const residual = rotationOf(width, 'residual', 'width');
  const turned = (x: Float64Array): Float64Array => {
    const copy = x.slice();
    residual.apply(copy, 1);
    return copy;
  };
  const x = Float64Array.from({ length: width }, (_, i) => Math.fround(Math.sin(i * i + 1)));
  const z = Float64Array.from({ length: graph.ffnWidth }, (_, i) => Math.fround(Math.cos(i * i)));
  let h: Float64Array; // what reads x behind the first norm reads

  beforeAll(() => {
    h = product(x, vector(plain, 'blk.0.attn_norm'));
  });

  it('norms have no weights left', () => {
    for (const name of ['blk.0.attn_norm', 'blk.0.ffn_norm', 'output_norm']) expect(new Set(vector(rotated, name))).toEqual(new Set([1]));
  });

  it('q, k, gate and up read the rotated stream', () => {
    for (const part of ['attn_q', 'attn_k']) expectClose(times(rotated, `blk.0.${part}`, turned(x)), times(plain, `blk.0.${part}`, h));
    const f = product(x, vector(plain, 'blk.0.ffn_norm'));
    for (const part of ['ffn_gate', 'ffn_up']) expectClose(times(rotated, `blk.0.${part}`, turned(x)), times(plain, `blk.0.${part}`, f));
  });

  it('values are turned within their heads, and attn_output undoes it and turns the stream', () => {
    const values = times(plain, 'blk.0.attn_v', h);
    const turnedValues = times(rotated, 'blk.0.attn_v', turned(x));
    for (let g = 0; g < kvHeads; g++) {
      const head = values.slice(g * headDimension, (g + 1) * headDimension);
      rotationOf(headDimension, `values 0 ${g}`, 'headDimension').apply(head, 1);
      expectClose(turnedValues.slice(g * headDimension, (g + 1) * headDimension), head);
    }
    expectClose(times(rotated, 'blk.0.attn_output', spread(turnedValues)), turned(times(plain, 'blk.0.attn_output', spread(values))));
  });

  it('ffn_down turns the stream; the embedding is turned; the head reads the turned stream with the weights of its norm', () => {
    expectClose(times(rotated, 'blk.0.ffn_down', z), turned(times(plain, 'blk.0.ffn_down', z)));
    const one = Float64Array.from({ length: width }, (_, i) => (i === 3 ? 1 : 0));
    expectClose(times(rotated, 'token_embd', turned(one)), times(plain, 'token_embd', one));
    expectClose(times(rotated, 'output', turned(x)), times(plain, 'token_embd', product(x, vector(plain, 'output_norm'))));
  });

  it('has 8 bits but for the inputs of ffn_down and of the head, which is not tied any more', () => {
    expect(rotated.graph.head).toBe('untied');
    const bits = (name: string): number => rotated.activationBits(name);
    expect(['attn_q', 'attn_k', 'attn_v', 'attn_output', 'ffn_gate', 'ffn_up'].map((part) => bits(`blk.0.${part}`))).toEqual(
      Array(6).fill(8),
    );
    expect([bits('blk.0.ffn_down'), bits('output')]).toEqual([14, 14]);
  });
});
