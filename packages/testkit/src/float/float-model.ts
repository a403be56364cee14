import { readFileSync } from 'node:fs';
import type { RopeParameters } from '@commonweight/models';
import { floatFrequencies, floatAttentionFactor } from './float-rope.ts';

/** Shape of a Llama-family model as its GGUF states it. */
export interface FloatShape {
  readonly layers: number;
  readonly width: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDimension: number;
  readonly ffnWidth: number;
  readonly vocabulary: number;
  readonly head: 'tied' | 'untied';
  readonly qkvBias: boolean;
  readonly qkNorm: boolean;
  /** Whether RoPE turns dimension i of a head with i + 1, or with i + headDimension / 2. */
  readonly pairs: 'neighbours' | 'halves';
  readonly rope: RopeParameters;
  readonly epsilon: number;
}

type Gemm = (x: number, ldx: number, w: number, ldw: number, y: number, ldy: number, m: number, n: number, k: number) => void;

const LAYER_MATRICES = ['attn_q', 'attn_k', 'attn_v', 'attn_output', 'ffn_gate', 'ffn_up', 'ffn_down'] as const;

/**
 * Float32 forward pass of the dequantised GGUF: what the integer model is measured against, in the quality bench and in tests of architectures.
 * It reads the file's own order of rows and restates RoPE's scaling, so that it shares no mistake with the importer. Matrix products
 * run in gemm.wasm, everything else is plain TypeScript with `Math.*`. One window at a time, no cache. Dimensions are multiples of 4.
 */
export class FloatModel {
  readonly shape: FloatShape;
  readonly #memory: WebAssembly.Memory;
  readonly #gemm: Gemm;
  readonly #matrices = new Map<string, number>();
  /** Norms and biases. */
  readonly #vectors = new Map<string, Float32Array>();
  readonly #frequencies: readonly number[];
  readonly #head: string;
  #end = 1 << 16;

  /** @param tensor - dequantised values of a GGUF tensor by its whole name, row-major. */
  constructor(shape: FloatShape, tensor: (name: string) => Float32Array) {
    this.shape = shape;
    this.#frequencies = floatFrequencies(shape.rope, shape.headDimension);
    this.#head = shape.head === 'tied' ? 'token_embd' : 'output';
    this.#memory = new WebAssembly.Memory({ initial: 1, maximum: 65_536 });
    const module = new WebAssembly.Module(readFileSync(new URL('../../float/gemm.wasm', import.meta.url)));
    this.#gemm = new WebAssembly.Instance(module, { env: { memory: this.#memory } }).exports['gemm'] as Gemm;
    const names = [
      ...new Set(['token_embd', this.#head]),
      ...Array.from({ length: shape.layers }, (_, l) => LAYER_MATRICES.map((name) => `blk.${l}.${name}`)).flat(),
    ];
    for (const name of names) {
      const values = tensor(`${name}.weight`);
      const at = this.#allocate(values.length);
      this.#view(at, values.length).set(values);
      this.#matrices.set(name, at);
    }
    const vectors = ['attn_norm.weight', 'ffn_norm.weight'];
    if (shape.qkvBias) vectors.push('attn_q.bias', 'attn_k.bias', 'attn_v.bias');
    if (shape.qkNorm) vectors.push('attn_q_norm.weight', 'attn_k_norm.weight');
    for (const name of [
      'output_norm.weight',
      ...Array.from({ length: shape.layers }, (_, l) => vectors.map((vector) => `blk.${l}.${vector}`)).flat(),
    ]) {
      this.#vectors.set(name, tensor(name));
    }
  }

  /** Logits of every position of one text: ids.length x vocabulary, a view that the next call overwrites. */
  forward(ids: readonly number[]): Float32Array {
    const { layers, width, heads, kvHeads, headDimension, ffnWidth, vocabulary } = this.shape;
    const mark = this.#end;
    const count = ids.length;
    const qWidth = heads * headDimension;
    const kvWidth = kvHeads * headDimension;
    const h = this.#allocate(count * Math.max(width, ffnWidth, qWidth));
    const q = this.#allocate(count * qWidth);
    const k = this.#allocate(count * kvWidth);
    const v = this.#allocate(count * kvWidth);
    const vT = this.#allocate(headDimension * padded(count));
    const scores = this.#allocate(count * padded(count));
    const gate = this.#allocate(count * ffnWidth);
    const up = this.#allocate(count * ffnWidth);
    const out = this.#allocate(count * width);
    const logits = this.#allocate(count * vocabulary);
    const product = (name: string, x: number, y: number, rows: number, columns: number): void =>
      this.#gemm(x, columns, this.#matrices.get(name)!, columns, y, rows, count, rows, columns);

    const embedding = this.#view(this.#matrices.get('token_embd')!, vocabulary * width);
    const x = new Float32Array(count * width);
    for (const [t, id] of ids.entries()) x.set(embedding.subarray(id * width, (id + 1) * width), t * width);

    for (let layer = 0; layer < layers; layer++) {
      const at = (name: string): string => `blk.${layer}.${name}`;
      this.#normalise(x, at('attn_norm.weight'), this.#view(h, x.length));
      product(at('attn_q'), h, q, qWidth, width);
      product(at('attn_k'), h, k, kvWidth, width);
      product(at('attn_v'), h, v, kvWidth, width);
      this.#finish(at('attn_q'), this.#view(q, count * qWidth));
      this.#finish(at('attn_k'), this.#view(k, count * kvWidth));
      this.#finish(at('attn_v'), this.#view(v, count * kvWidth));
      this.#rotate(q, count, heads);
      this.#rotate(k, count, kvHeads);
      for (let head = 0; head < heads; head++) this.#attend(head, count, q, k, v, vT, scores, h);
      product(at('attn_output'), h, out, width, qWidth);
      add(x, this.#view(out, x.length));
      this.#normalise(x, at('ffn_norm.weight'), this.#view(h, x.length));
      product(at('ffn_gate'), h, gate, ffnWidth, width);
      product(at('ffn_up'), h, up, ffnWidth, width);
      const g = this.#view(gate, count * ffnWidth);
      const u = this.#view(up, count * ffnWidth);
      for (let i = 0; i < g.length; i++) g[i] = (g[i]! / (1 + Math.exp(-g[i]!))) * u[i]!;
      product(at('ffn_down'), gate, out, width, ffnWidth);
      add(x, this.#view(out, x.length));
    }
    this.#normalise(x, 'output_norm.weight', this.#view(h, x.length));
    product(this.#head, h, logits, vocabulary, width);
    this.#end = mark;
    return this.#view(logits, count * vocabulary);
  }

  #allocate(floats: number): number {
    const at = this.#end;
    this.#end = at + 16 * Math.ceil(floats / 4);
    const missing = Math.ceil((this.#end - this.#memory.buffer.byteLength) / 65_536);
    if (missing > 0) this.#memory.grow(missing);
    return at;
  }

  #view(at: number, floats: number): Float32Array {
    return new Float32Array(this.#memory.buffer, at, floats);
  }

  /** RMSNorm of every piece of `x` that is as long as the weights. */
  #normalise(x: Float32Array, name: string, out: Float32Array): void {
    const weight = this.#vectors.get(name)!;
    const size = weight.length;
    for (let row = 0; row < x.length; row += size) {
      let sum = 0;
      for (let i = 0; i < size; i++) sum += x[row + i]! ** 2;
      const scale = 1 / Math.sqrt(sum / size + this.shape.epsilon);
      for (let i = 0; i < size; i++) out[row + i] = x[row + i]! * scale * weight[i]!;
    }
  }

  /** Bias and norm of heads, where there are any. */
  #finish(name: string, values: Float32Array): void {
    const bias = this.#vectors.get(`${name}.bias`);
    if (bias) for (let i = 0; i < values.length; i++) values[i]! += bias[i % bias.length]!;
    if (this.#vectors.has(`${name}_norm.weight`)) this.#normalise(values, `${name}_norm.weight`, values);
  }

  #rotate(at: number, count: number, heads: number): void {
    const { headDimension, pairs } = this.shape;
    const [step, distance] = pairs === 'neighbours' ? [2, 1] : [1, headDimension / 2];
    const values = this.#view(at, count * heads * headDimension);
    for (const [pair, frequency] of this.#frequencies.entries()) {
      for (let t = 0; t < count; t++) {
        const cos = Math.cos(t * frequency);
        const sin = Math.sin(t * frequency);
        for (let head = 0; head < heads; head++) {
          const i = (t * heads + head) * headDimension + step * pair;
          const a = values[i]!;
          const b = values[i + distance]!;
          values[i] = a * cos - b * sin;
          values[i + distance] = a * sin + b * cos;
        }
      }
    }
  }

  #attend(head: number, count: number, q: number, k: number, v: number, vT: number, scoresAt: number, out: number): void {
    const { heads, kvHeads, headDimension } = this.shape;
    const group = Math.floor(head / (heads / kvHeads));
    const stride = padded(count);
    this.#gemm(
      q + 4 * head * headDimension,
      heads * headDimension,
      k + 4 * group * headDimension,
      kvHeads * headDimension,
      scoresAt,
      stride,
      count,
      count,
      headDimension,
    );
    const scores = this.#view(scoresAt, count * stride);
    const factor = floatAttentionFactor(this.shape.rope) ** 2 / Math.sqrt(headDimension);
    for (let t = 0; t < count; t++) {
      const row = scores.subarray(t * stride, (t + 1) * stride);
      let maximum = -Infinity;
      for (let j = 0; j <= t; j++) maximum = Math.max(maximum, row[j]!);
      let sum = 0;
      for (let j = 0; j <= t; j++) sum += row[j] = Math.exp((row[j]! - maximum) * factor);
      for (let j = 0; j <= t; j++) row[j]! /= sum;
      row.fill(0, t + 1);
    }
    const values = this.#view(v, count * kvHeads * headDimension);
    const transposed = this.#view(vT, headDimension * stride);
    transposed.fill(0);
    for (let t = 0; t < count; t++) {
      for (let i = 0; i < headDimension; i++) transposed[i * stride + t] = values[(t * kvHeads + group) * headDimension + i]!;
    }
    this.#gemm(scoresAt, stride, vT, stride, out + 4 * head * headDimension, heads * headDimension, count, headDimension, stride);
  }
}

const padded = (count: number): number => 4 * Math.ceil(count / 4);

function add(x: Float32Array, y: Float32Array): void {
  for (let i = 0; i < x.length; i++) x[i]! += y[i]!;
}
