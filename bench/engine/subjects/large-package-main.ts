// Writes a package of random weights in the shape of Llama 3.1 8B, more than 32 bits can address: `node large-package-main.js FOLDER`. The weights repeat a block, since
// making 8,000,000,000 random numbers and converting them would take ten minutes and show nothing more. A process of its own, so that it can be stopped.
import { CONVERTER } from '@commonweight/models';
import {
  ENGINE_SPEC,
  type Graph,
  MerkleTag,
  type Tensor,
  canonicalize,
  expectedTensors,
  merkleRootOfBytes,
  merkleRootOfParts,
  packageFiles,
  padTo,
  parseManifest,
  tensorParts,
  toHex,
  utf8,
} from '@commonweight/protocol';
import { nodeSha256 } from '@commonweight/protocol/node';
import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';

const GRAPH: Graph = {
  layers: 32,
  width: 4096,
  heads: 32,
  kvHeads: 8,
  headDimension: 128,
  ffnWidth: 14_336,
  vocabulary: 128_256,
  context: 1024,
  normEpsilon: Math.round(1e-5 * 4096 * 2 ** 24),
  qkvBias: false,
  qkNorm: null,
  attentionScale: { mantissa: 33_428, exponent: -2 },
  rope: 'interleaved',
  head: 'untied',
  commitPoints: [5, 11, 17, 23, 29, 31],
};
const BLOCK = 4 << 20;
/** With multipliers of 2^21 and weights of 73 on average, rows of 4,096 keep values around 1. */
const EXPONENT = 33;

const weightBlock = new Uint8Array(Int8Array.from({ length: BLOCK }, randomWeight()).buffer);
const sixteenths = new Uint8Array(BLOCK).fill(12);
const rowMultipliers = new Uint8Array(Int32Array.from({ length: BLOCK / 4 }, () => 2 ** 21).buffer);
const ones = new Uint8Array(Int32Array.from({ length: GRAPH.width }, () => 2 ** 20).buffer);

function randomWeight(): () => number {
  let state = 7;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return ((state >>> 0) % 255) - 127;
  };
}

/** cos and sin of every (position, pair) as 16-bit fractions; close enough to RoPE for a model that says nothing. */
function ropeTable({ context, headDimension }: Graph): Uint8Array {
  const table = new Int16Array(context * headDimension);
  for (let position = 0; position < context; position++) {
    for (let i = 0; i < headDimension; i += 2) {
      const angle = position * 500_000 ** (-i / headDimension);
      table[position * headDimension + i] = Math.round(32_767 * Math.cos(angle));
      table[position * headDimension + i + 1] = Math.round(32_767 * Math.sin(angle));
    }
  }
  return new Uint8Array(table.buffer);
}

/** `weights.bin` in order, laid out as it goes. */
function* parts(tensors: Tensor[]): Generator<Uint8Array> {
  let end = 0;
  const place = (tensor: Tensor): Tensor => {
    for (const { offset, size } of tensorParts(tensor)) end = Math.max(end, offset + size);
    tensors.push(tensor);
    return tensor;
  };
  place({ kind: 'rope', name: 'rope', positions: GRAPH.context, pairs: GRAPH.headDimension / 2, offset: 0 });
  yield ropeTable(GRAPH);
  for (const [name, shape] of expectedTensors(GRAPH)) {
    if (shape.kind === 'matrix') {
      const bytes = padTo(shape.rows, 16) * padTo(shape.columns, 64);
      const [blockMultipliers, multipliers] = [end + bytes, end + bytes + padTo(bytes / 64, 1024)];
      place({ ...shape, name, exponent: EXPONENT, activationBits: 14, weights: end, blockMultipliers, multipliers });
      yield* repeated(weightBlock, bytes);
      yield* repeated(sixteenths, padTo(bytes / 64, 1024));
      yield* repeated(rowMultipliers, padTo(4 * shape.rows, 1024));
    } else {
      place({ kind: 'norm', name, length: shape.length, exponent: 20, offset: end });
      yield ones.subarray(0, padTo(4 * shape.length, 1024));
    }
  }
}

function* repeated(block: Uint8Array, bytes: number): Generator<Uint8Array> {
  for (let at = 0; at < bytes; at += block.length) yield block.subarray(0, Math.min(block.length, bytes - at));
}

const folder = process.argv[2]!;
mkdirSync(folder, { recursive: true });
const tensors: Tensor[] = [];
let size = 0;
const file = openSync(join(folder, packageFiles.weights), 'w');
function* written(): Generator<Uint8Array> {
  for (const part of parts(tensors)) {
    for (let at = 0; at < part.length;) at += writeSync(file, part, at, part.length - at, size + at);
    size += part.length;
    yield part;
  }
}
const root = toHex(merkleRootOfParts(MerkleTag.file, written(), nodeSha256));
closeSync(file);
const small = { [packageFiles.tokenizer]: utf8('{}\n'), [packageFiles.chatTemplate]: utf8('{{ messages }}\n') };
const manifest = parseManifest({
  spec: ENGINE_SPEC,
  graph: GRAPH,
  tensors,
  files: [
    { name: packageFiles.weights, size, root },
    ...Object.entries(small).map(([name, bytes]) => ({
      name,
      size: bytes.length,
      root: toHex(merkleRootOfBytes(MerkleTag.file, bytes, nodeSha256)),
    })),
  ],
  generation: { stopIds: [2], temperature: 0, topP: 1_000_000, topK: 0 },
});
const card = {
  name: 'synthetic-8b',
  source: { uri: 'file:nothing', sha256: '0'.repeat(64), bytes: 0 },
  converter: CONVERTER,
  licence: 'none',
  parents: [],
};
for (const [name, bytes] of Object.entries(small)) writeFileSync(join(folder, name), bytes);
writeFileSync(join(folder, 'card.json'), canonicalize(card));
writeFileSync(join(folder, 'manifest.json'), canonicalize(manifest));
