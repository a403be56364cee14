import {
  ENGINE_SPEC,
  type GenerationDefaults,
  type Graph,
  type Manifest,
  type MatrixTensor,
  type Tensor,
  MerkleTag,
  concatBytes,
  layerTensorNames,
  limits,
  merkleRootOfBytes,
  type Sha256,
  packageFiles,
  padTo,
  parseManifest,
  toHex,
  utf8,
} from '@commonweight/protocol';
import type { WeightsSource } from '../executor.ts';
import { Xorshift } from './xorshift.ts';

export interface TinyModelOptions {
  /** 1 to 2^32 - 1. */
  readonly seed?: number;
  readonly layers?: number;
  readonly width?: number;
  readonly heads?: number;
  readonly kvHeads?: number;
  readonly headDimension?: number;
  readonly ffnWidth?: number;
  readonly vocabulary?: number;
  readonly context?: number;
  readonly head?: Graph['head'];
  readonly qkvBias?: boolean;
  readonly qkNorm?: boolean;
  readonly activationBits?: number;
  readonly commitPoints?: readonly number[];
  /** Every matrix of the layers is scaled up by 2^gain: 0 is tame, 16 drives the fixed-point values into saturation. */
  readonly gain?: number;
  readonly generation?: Partial<GenerationDefaults>;
}

export interface TinyModel {
  /** Has passed `parseManifest`; its file roots are the roots of `files`. */
  readonly manifest: Manifest;
  /** The bytes of `weights.bin`. */
  readonly weights: Uint8Array;
  readonly files: Readonly<Record<string, Uint8Array>>;
  readonly source: WeightsSource;
}

/** Shapes that between them reach every path: multiples of the tile, nothing a multiple of anything, an untied head, int8 activations, biases, norms of heads. */
export const tinyShapes = {
  regular: {},
  odd: { layers: 3, width: 72, heads: 6, kvHeads: 2, headDimension: 10, ffnWidth: 100, vocabulary: 101, commitPoints: [0, 2] },
  untied: { layers: 1, width: 48, heads: 2, kvHeads: 2, headDimension: 24, ffnWidth: 70, vocabulary: 61, head: 'untied' },
  narrowActivations: { activationBits: 8 },
  saturating: { gain: 16 },
  biased: { seed: 5, qkvBias: true },
  normedHeads: { seed: 6, heads: 3, kvHeads: 1, headDimension: 38, qkNorm: true, head: 'untied' },
  biasedAndNormed: { seed: 7, width: 40, heads: 2, headDimension: 64, qkvBias: true, qkNorm: true, gain: 16 },
} as const satisfies Readonly<Record<string, TinyModelOptions>>;

/** A small random model in memory, the same bytes on every machine: a real package's layout without the size. */
export function buildTinyModel(options: TinyModelOptions = {}, sha256?: Sha256): TinyModel {
  const { layers = 2, width = 64, heads = 4, kvHeads = 2, headDimension = 16, ffnWidth = 128, vocabulary = 96, context = 128 } = options;
  const {
    head = 'tied',
    qkvBias = false,
    qkNorm = false,
    activationBits = 14,
    gain = 0,
    commitPoints = Array.from({ length: layers }, (_, i) => i),
  } = options;
  const random = new Xorshift(options.seed ?? 1);
  const parts: Uint8Array[] = [];
  const tensors: Tensor[] = [];
  let end = 0;
  const append = (bytes: Uint8Array): number => {
    const offset = end;
    const padded = new Uint8Array(padTo(bytes.length, limits.leafBytes));
    padded.set(bytes);
    parts.push(padded);
    end += padded.length;
    return offset;
  };
  const matrix = (name: string, rows: number, columns: number, exponent: number): void => {
    const weights = append(randomPackedMatrix(random, rows, columns));
    const blocks = padTo(columns, 64) / 64;
    const blockMultipliers = append(
      Uint8Array.from({ length: padTo(rows, 16) * blocks }, (_, i) =>
        Math.floor(i / (16 * blocks)) * 16 + (i & 15) < rows ? random.integer(8, 15) : 0,
      ),
    );
    const multipliers = append(
      int32Bytes(Array.from({ length: padTo(rows, 16) }, (_, n) => (n < rows ? random.integer(1 << 20, 1 << 22) : 0))),
    );
    const tensor: MatrixTensor = { kind: 'matrix', name, rows, columns, exponent, activationBits, weights, blockMultipliers, multipliers };
    tensors.push(tensor);
  };
  const norm = (name: string, length = width): void => {
    const values = Array.from({ length }, () => random.integer(-(1 << 18), 1 << 21));
    tensors.push({ kind: 'norm', name, length, exponent: 20, offset: append(int32Bytes(values)) });
  };
  // Most of a size like the values that they are added to, some near the ends of int32.
  const bias = (name: string, length: number): void => {
    const values = Array.from({ length }, () => random.integer(-(2 ** 18), 2 ** 18) * (random.integer(0, 40) === 0 ? 2 ** 13 - 1 : 1));
    tensors.push({ kind: 'bias', name, length, offset: append(int32Bytes(values)) });
  };

  tensors.push({
    kind: 'rope',
    name: 'rope',
    positions: context,
    pairs: headDimension / 2,
    offset: append(ropeTable(context, headDimension / 2)),
  });
  // Exponents keep the values of the layers around 1 and the logits apart: 73 (rms of the weights) * 2^21.3 (of the multipliers) * sqrt(64) = 2^30.5.
  matrix('token_embd', vocabulary, width, 28);
  for (let layer = 0; layer < layers; layer++) {
    const names = layerTensorNames(layer);
    norm(names.attentionNorm);
    matrix(names.q, heads * headDimension, width, 30 - gain);
    matrix(names.k, kvHeads * headDimension, width, 30 - gain);
    matrix(names.v, kvHeads * headDimension, width, 30 - gain);
    if (qkvBias) {
      bias(names.qBias, heads * headDimension);
      bias(names.kBias, kvHeads * headDimension);
      bias(names.vBias, kvHeads * headDimension);
    }
    if (qkNorm) {
      norm(names.qNorm, headDimension);
      norm(names.kNorm, headDimension);
    }
    matrix(names.o, width, heads * headDimension, 31 - gain);
    norm(names.ffnNorm);
    matrix(names.gate, ffnWidth, width, 30 - gain);
    matrix(names.up, ffnWidth, width, 30 - gain);
    matrix(names.down, width, ffnWidth, 31 - gain);
  }
  norm('output_norm');
  if (head === 'untied') matrix('output', vocabulary, width, 28);

  const weights = concatBytes(...parts);
  const files = {
    [packageFiles.weights]: weights,
    [packageFiles.tokenizer]: utf8('{}\n'),
    [packageFiles.chatTemplate]: utf8('{{ messages }}\n'),
  };
  const manifest = parseManifest({
    spec: ENGINE_SPEC,
    graph: {
      layers,
      width,
      heads,
      kvHeads,
      headDimension,
      ffnWidth,
      vocabulary,
      context,
      normEpsilon: Math.max(1, Math.floor((width * 2 ** 24) / 100_000 + 0.5)),
      qkvBias,
      qkNorm: qkNorm ? { epsilon: Math.max(1, Math.floor((headDimension * 2 ** 32) / 1_000_000 + 0.5)) } : null,
      attentionScale: { mantissa: 47274, exponent: -2 },
      rope: 'interleaved',
      head,
      commitPoints,
    },
    tensors,
    files: Object.entries(files).map(([name, bytes]) => ({
      name,
      size: bytes.length,
      root: toHex(merkleRootOfBytes(MerkleTag.file, bytes, sha256)),
    })),
    generation: { stopIds: [2], temperature: 0, topP: 1_000_000, topK: 0, ...options.generation },
  });
  return { manifest, weights, files, source: memorySource(weights) };
}

/** Reads weights from bytes in memory. */
export function memorySource(bytes: Uint8Array): WeightsSource {
  return {
    read: (offset, target) => {
      if (offset < 0 || offset + target.length > bytes.length)
        throw new RangeError(`bytes ${offset} to ${offset + target.length} of ${bytes.length}`);
      target.set(bytes.subarray(offset, offset + target.length));
    },
  };
}

/** `[N/16][K/4][16][4]`, zero outside rows x columns, values in [-127, 127] with both ends present. */
function randomPackedMatrix(random: Xorshift, rows: number, columns: number): Uint8Array {
  const paddedColumns = padTo(columns, 64);
  const packed = new Int8Array(padTo(rows, 16) * paddedColumns);
  for (let n = 0; n < rows; n++) {
    for (let k = 0; k < columns; k++)
      packed[((n >> 4) * (paddedColumns >> 2) + (k >> 2)) * 64 + (n & 15) * 4 + (k & 3)] = random.integer(-127, 127);
  }
  return new Uint8Array(packed.buffer);
}

function int32Bytes(values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(4 * values.length);
  const view = new DataView(bytes.buffer);
  for (const [i, value] of values.entries()) view.setInt32(4 * i, value, true);
  return bytes;
}

/** Rotation by the rational angle t = 1/2^i (cos = (1-t^2)/(1+t^2), sin = 2t/(1+t^2)), powers by the addition theorem in 60-bit fixed point. */
function ropeTable(positions: number, pairs: number): Uint8Array {
  const bytes = new Uint8Array(4 * positions * pairs);
  const view = new DataView(bytes.buffer);
  const bits = 60n;
  const one = 1n << bits;
  for (let i = 0; i < pairs; i++) {
    const square = 4n ** BigInt(i);
    const cos1 = ((square - 1n) * one) / (square + 1n);
    const sin1 = (2n * 2n ** BigInt(i) * one) / (square + 1n);
    let [cos, sin] = [one, 0n];
    for (let position = 0; position < positions; position++) {
      const at = 4 * (position * pairs + i);
      view.setInt16(at, Number((cos * 32767n + one / 2n) >> bits), true);
      view.setInt16(at + 2, Number((sin * 32767n + one / 2n) >> bits), true);
      [cos, sin] = [(cos * cos1 - sin * sin1) >> bits, (cos * sin1 + sin * cos1) >> bits];
    }
  }
  return bytes;
}
