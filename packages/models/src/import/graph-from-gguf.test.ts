import { expect, it } from 'vitest';
import { memorySource } from '../gguf/byte-source.ts';
import { type Gguf, parseGguf } from '../gguf/parse-gguf.ts';
import type { GgufValue } from '../gguf/parse-value.ts';
import { tinyModel } from '../testing/tiny-model.ts';
import { graphFromGguf } from './graph-from-gguf.ts';
import { usualAttentionFactor } from './rope-parameters.ts';

const file = tinyModel({ layers: 1 });
const source = memorySource(file);

/** The tiny model's header with other values; `undefined` takes a key away. */
function changed(values: Readonly<Record<string, GgufValue | undefined>>): Gguf {
  const gguf = parseGguf(source);
  const metadata = new Map(gguf.metadata);
  for (const [key, value] of Object.entries(values)) {
    if (value === undefined) metadata.delete(key);
    else metadata.set(key, value);
  }
  return { ...gguf, metadata };
}
const graph = (values: Readonly<Record<string, GgufValue | undefined>> = {}, context?: number) =>
  graphFromGguf(changed(values), source, context);

it('a Llama has neither biases nor norms of heads, and a head dimension of its own where the file says so', () => {
  expect(graph().graph).toMatchObject({ qkvBias: false, qkNorm: null, headDimension: 32, head: 'tied', context: 256 });
  const nemo = {
    'llama.attention.key_length': 24,
    'llama.attention.value_length': 24,
    'llama.attention.head_count': 3,
    'llama.attention.head_count_kv': 3,
  };
  expect(graph(nemo).graph).toMatchObject({ heads: 3, headDimension: 24, width: 64 });
});

it('Qwen2 has biases, Qwen3 norms of heads with an epsilon of their own', () => {
  const named = (name: string): Record<string, GgufValue> => ({
    'general.architecture': name,
    ...Object.fromEntries(
      [...changed({}).metadata].filter(([key]) => key.startsWith('llama.')).map(([key, value]) => [key.replace('llama', name), value]),
    ),
  });
  expect(graph(named('qwen2')).graph).toMatchObject({ qkvBias: true, qkNorm: null });
  // eps 1e-5 as float32, 32 dimensions, 2^32
  expect(graph(named('qwen3')).graph).toMatchObject({ qkvBias: false, qkNorm: { epsilon: 1_374_390 } });
});

it('a window of attention limits the context, and is refused where it would matter', () => {
  const window = { 'llama.attention.sliding_window': 100 };
  expect(() => graph(window)).toThrow("llama.attention.sliding_window: expected a window of at least the package's 256 positions, got 100");
  expect(graph(window, 100).graph.context).toBe(100);
  expect(graph({ 'llama.attention.sliding_window': 256 }).graph.context).toBe(256);
  expect(graph({}, 77).graph.context).toBe(77);
  expect(() => graph({}, 1)).toThrow('context: expected an integer from 2 to');
});

it('RoPE scaling as the file states it', () => {
  const scaled = (type: string, values: Record<string, GgufValue> = {}) =>
    graph({ 'llama.rope.scaling.type': type, 'llama.rope.scaling.factor': 4, ...values }).rope.scaling;
  expect(scaled('none')).toEqual({ type: 'none' });
  expect(scaled('linear')).toEqual({ type: 'linear', factor: 4 });
  expect(graph({ 'llama.rope.scale_linear': 2 }).rope.scaling).toEqual({ type: 'linear', factor: 2 });
  expect(scaled('yarn', { 'llama.rope.scaling.original_context_length': 64, 'llama.rope.scaling.attn_factor': 0.5 })).toEqual({
    type: 'yarn',
    factor: 4,
    betaFast: 32,
    betaSlow: 1,
    originalContext: 64,
    attentionFactor: usualAttentionFactor(4) / 2,
  });
  expect(usualAttentionFactor(4)).toBeCloseTo(0.1 * Math.log(4) + 1, 15);
});

it.each<[string, Record<string, GgufValue | undefined>, RegExp]>([
  [
    'an unknown architecture',
    { 'general.architecture': 'gemma3' },
    /general\.architecture: expected one of llama, qwen2, qwen3, got "gemma3"/,
  ],
  ['another scaling', { 'llama.rope.scaling.type': 'longrope' }, /llama\.rope\.scaling\.type: expected none, linear or yarn, got longrope/],
  ['a factor below 1', { 'llama.rope.scaling.factor': 0.5 }, /llama\.rope\.scaling\.factor/],
  ['a logarithmic multiplier', { 'llama.rope.scaling.yarn_log_multiplier': 0.1 }, /yarn_log_multiplier/],
  ['experts', { 'llama.expert_count': 8 }, /llama\.expert_count: expected nothing or 0, got 8/],
  ['softcapping', { 'llama.final_logit_softcapping': 30 }, /llama\.final_logit_softcapping/],
  ['a scale of logits', { 'llama.logit_scale': 0.25 }, /llama\.logit_scale/],
  ['attention that is not causal', { 'llama.attention.causal': false }, /llama\.attention\.causal/],
  ['part of a head rotated', { 'llama.rope.dimension_count': 16 }, /llama\.rope\.dimension_count: expected the head dimension 32/],
  [
    'heads that do not divide the width',
    { 'llama.attention.head_count': 3 },
    /llama\.attention\.head_count: expected a divisor of the width 64/,
  ],
  ['a base that is no integer', { 'llama.rope.freq_base': 10_000.5 }, /llama\.rope\.freq_base/],
])('refuses %s by name', (_, values, message) => {
  expect(() => graph(values)).toThrow(message);
});
