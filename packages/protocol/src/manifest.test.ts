import { describe, expect, it } from 'vitest';
import { utf8 } from './bytes.ts';
import { canonicalize } from './jcs.ts';
import { weightsRootOfManifest } from './manifest-head.ts';
import { type Manifest, type Tensor, expectedTensors, modelIdOf, padTo, parseManifest } from './manifest.ts';

const graph: Manifest['graph'] = {
  layers: 2,
  width: 20,
  heads: 2,
  kvHeads: 1,
  headDimension: 8,
  ffnWidth: 24,
  vocabulary: 40,
  context: 16,
  normEpsilon: 5,
  qkvBias: true,
  qkNorm: { epsilon: 7 },
  attentionScale: { mantissa: 40_000, exponent: -1 },
  rope: 'interleaved',
  head: 'tied',
  commitPoints: [0, 1],
};

function build(): Manifest {
  let end = 0;
  const take = (bytes: number): number => {
    const at = end;
    end += padTo(bytes, 1024);
    return at;
  };
  const tensors: Tensor[] = [...expectedTensors(graph)].map(([name, shape]) =>
    shape.kind === 'norm'
      ? { ...shape, name, exponent: 20, offset: take(4 * shape.length) }
      : shape.kind === 'bias'
        ? { ...shape, name, offset: take(4 * shape.length) }
        : {
            ...shape,
            name,
            exponent: 22,
            activationBits: 14,
            weights: take(padTo(shape.rows, 16) * padTo(shape.columns, 64)),
            blockMultipliers: take((padTo(shape.rows, 16) * padTo(shape.columns, 64)) / 64),
            multipliers: take(4 * padTo(shape.rows, 16)),
          },
  );
  tensors.push({ kind: 'rope', name: 'rope', positions: 16, pairs: 4, offset: take(4 * 16 * 4) });
  const root = `0x${'00'.repeat(32)}` as const;
  return {
    spec: 'int-transformer/2',
    graph,
    tensors,
    files: [
      { name: 'weights.bin', size: end, root },
      { name: 'tokenizer.json', size: 1, root },
      { name: 'chat_template.jinja', size: 1, root },
    ],
    generation: { stopIds: [2], temperature: 1_000_000, topP: 1_000_000, topK: 0 },
  };
}

type Path = readonly (string | number)[];

/** A copy of the whole manifest with one place set to `value` (`undefined`: removed). */
function changed(path: Path, value: unknown): unknown {
  const copy: unknown = structuredClone(build());
  const parent = path.slice(0, -1).reduce((at, key) => (at as Record<string | number, unknown>)[key], copy) as Record<
    string | number,
    unknown
  >;
  const last = path.at(-1)!;
  if (value === undefined && Array.isArray(parent)) parent.splice(Number(last), 1);
  else parent[last] = value;
  return copy;
}

describe('manifest', () => {
  it('names its weights where the registry reads them', () => {
    const manifest = build();
    const root = `0x${'5a'.repeat(32)}` as const;
    const files = manifest.files.map((file) => ({ ...file, root })).toReversed();
    const parsed = parseManifest({ ...manifest, files });
    expect(weightsRootOfManifest(utf8(canonicalize(parsed)))).toBe(root);
  });

  it('parses a whole one and its id does not depend on key order', () => {
    const manifest = build();
    expect(parseManifest(JSON.parse(JSON.stringify(manifest)))).toEqual(manifest);
    const reversed = Object.fromEntries(Object.entries(manifest).toReversed()) as unknown as Manifest;
    expect(modelIdOf(reversed)).toBe(modelIdOf(manifest));
    expect(modelIdOf({ ...manifest, generation: { ...manifest.generation, topK: 1 } })).not.toBe(modelIdOf(manifest));
  });

  it.each<[string, Path, unknown, RegExp]>([
    ['another spec', ['spec'], 'int-transformer/1', /spec/],
    ['an unknown field', ['name'], 'x', /name: expected only the fields/],
    ['heads that kvHeads does not divide', ['graph', 'kvHeads'], 3, /kvHeads/],
    ['biases that the graph does not have', ['graph', 'qkvBias'], false, /attn_q\.bias.*a tensor of the graph/],
    ['norms of heads that the graph does not have', ['graph', 'qkNorm'], null, /attn_q_norm.*a tensor of the graph/],
    ['an epsilon of 0', ['graph', 'qkNorm', 'epsilon'], 0, /graph\.qkNorm\.epsilon/],
    ['a bias of another length', ['tensors', 8, 'length'], 17, /bias 16.*bias 17/],
    ['an odd head dimension', ['graph', 'headDimension'], 9, /headDimension/],
    ['commit points without the last layer', ['graph', 'commitPoints'], [0], /commitPoints/],
    ['commit points out of order', ['graph', 'commitPoints'], [1, 1], /commitPoints/],
    ['a missing tensor', ['tensors', 3], undefined, /the tensor/],
    ['a tensor twice', ['tensors', 1], build().tensors[0], /each tensor once/],
    ['a tensor of another shape', ['tensors', 0, 'rows'], 41, /token_embd/],
    ['an unaligned offset', ['tensors', 0, 'weights'], 100, /multiple of 1024/],
    ['overlapping parts', ['tensors', 1, 'offset'], 0, /next part at byte/],
    ['a file that is too long', ['files', 0, 'size'], 1024 * 1024, /bytes that the tensors take/],
    ['a file name with a path', ['files', 1, 'name'], '../tokenizer.json', /files\[1\]\.name/],
    ['a rope table of another size', ['tensors', build().tensors.length - 1, 'positions'], 8, /rope/],
    ['20,000 tensors', ['tensors'], Array.from({ length: 20_000 }, () => ({})), /at most 16384/],
  ])('refuses %s', (_, path, value, message) => {
    expect(() => parseManifest(changed(path, value))).toThrow(message);
  });
});
