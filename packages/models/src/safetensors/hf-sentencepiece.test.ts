import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { buildSentencePiece, orderByScore } from '../import/sentencepiece-json.ts';
import { TokenType } from '../import/token-list.ts';
import { JsonFields } from './fields.ts';
import { tokenizerFromHuggingFace } from './hf-tokenizer.ts';

const path = new URL('../../../../conformance/tokenizer/sentencepiece-vocabulary.json', import.meta.url);
const file = JSON.parse(readFileSync(path, 'utf8')) as {
  readonly tokens: readonly string[];
  readonly scores: readonly number[];
  readonly kinds: readonly ('normal' | 'unknown' | 'control' | 'byte')[];
};
const refuse = (field: string): never => expect.fail(field);
const template = '{{ bos_token }}{{ messages[0].content }}';
const list = { tokens: file.tokens, types: file.kinds.map((kind) => TokenType[kind]), endIds: [2], named: { bos_token: 1 } };
const order = orderByScore(list, file.scores, refuse);

/** As transformers converts a SentencePiece model: every way to put a piece together, sorted by score. */
function merges(): string[] {
  const known = new Set(file.tokens);
  return order.flatMap((id) => {
    const characters = Array.from(file.tokens[id]!);
    const cuts = characters.map((_, cut) => [characters.slice(0, cut).join(''), characters.slice(cut).join('')]);
    return cuts.filter(([left, right]) => known.has(left!) && known.has(right!)).map((parts) => parts.join(' '));
  });
}

const prepend = { type: 'Prepend', prepend: '\u2581' };
const replace = { type: 'Replace', pattern: { String: ' ' }, content: '\u2581' };
const tokenizerJson = {
  added_tokens: [0, 1, 2].map((id) => ({ id, content: file.tokens[id], special: true })),
  normalizer: { type: 'Sequence', normalizers: [prepend, replace] } as object | null,
  pre_tokenizer: null as object | null,
  decoder: { type: 'Sequence', decoders: [] },
  model: {
    type: 'BPE',
    unk_token: '<unk>',
    fuse_unk: true,
    byte_fallback: true,
    vocab: Object.fromEntries(file.tokens.map((token, id) => [token, id])),
    merges: merges(),
  },
};
const fields = (name: string, value: unknown): JsonFields =>
  JsonFields.ofFile({ name, bytes: new TextEncoder().encode(JSON.stringify(value)) }, 1 << 20);
const convert = (change: Partial<typeof tokenizerJson> = {}) =>
  tokenizerFromHuggingFace(
    {
      tokenizer: fields('tokenizer.json', { ...tokenizerJson, ...change }),
      config: fields('config.json', { eos_token_id: 2 }),
      tokenizerConfig: fields('tokenizer_config.json', { bos_token: '<s>', eos_token: { content: '</s>' } }),
      template,
    },
    file.tokens.length,
  );

it('gives what the scores of the same vocabulary give', () => {
  expect(convert()).toEqual(buildSentencePiece({ ...list, order, spacePrefix: true }, file.tokens.length, refuse));
});

it('reads the newer spelling, and a vocabulary that puts no space first', () => {
  const metaspace = { type: 'Metaspace', replacement: '\u2581', split: false };
  expect(convert({ normalizer: null, pre_tokenizer: { ...metaspace, prepend_scheme: 'always' } })).toEqual(convert());
  const none = convert({ normalizer: replace });
  expect(none).toEqual(buildSentencePiece({ ...list, order, spacePrefix: false }, file.tokens.length, refuse));
  expect(convert({ normalizer: null, pre_tokenizer: { ...metaspace, prepend_scheme: 'never' } })).toEqual(none);
});

it.each([
  ['prepend_scheme', { normalizer: null, pre_tokenizer: { type: 'Metaspace', prepend_scheme: 'first' } }],
  ['normalizer', { normalizer: { type: 'NFKC' } }],
  ['normalizer', { normalizer: null }],
  ['content', { normalizer: { ...replace, content: '_' } }],
  ['merges[0]', { model: { ...tokenizerJson.model, merges: ['qq zz'] } }],
])('refuses another %s by name', (name, change) => {
  expect(() => convert(change)).toThrow(expect.objectContaining({ field: expect.stringContaining(name) }));
});
