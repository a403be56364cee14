import { CommonweightError } from '@commonweight/protocol';
import type { NamedTokens } from '../import/named-tokens.ts';
import { byteLevelBpe } from './byte-level-bpe.ts';
import type { PieceModel } from './piece-model.ts';
import { byteToken, type Pieces, sentencePiece } from './sentencepiece.ts';

export interface AddedToken {
  readonly id: number;
  readonly content: string;
  readonly special: boolean;
}

export interface TokenizerFile {
  readonly pieces: PieceModel;
  /** Texts by id, without holes. */
  readonly tokens: readonly string[];
  readonly added: readonly AddedToken[];
  /** What the chat template calls `bos_token` and `eos_token`, where it does. */
  readonly named: NamedTokens;
}

const fail = (what: string): never => {
  throw new CommonweightError(`tokenizer.json: expected ${what}; import the model again`, { code: 'tokenizer', action: 'stop' });
};

/** Reads what our importer writes: byte-level BPE or SentencePiece, at most NFC as its normaliser, no post-processor. Its bytes are bound by the model id; this guards against other writers. */
export function parseTokenizerJson(text: string): TokenizerFile {
  let raw: {
    model?: { type?: unknown; vocab?: unknown; order?: unknown; space_prefix?: unknown };
    normalizer?: { type?: unknown } | null;
    post_processor?: unknown;
    added_tokens?: unknown;
    named_tokens?: Record<string, unknown>;
  };
  try {
    raw = JSON.parse(text) as typeof raw;
  } catch {
    return fail('JSON');
  }
  if (raw.normalizer !== null && raw.normalizer?.type !== 'NFC') fail('NFC or no normalizer');
  if (raw.post_processor !== null) fail('no post_processor');
  const isBpe = raw.model?.type === 'BPE';
  if (!isBpe && raw.model?.type !== 'SentencePiece') fail('a model of type BPE or SentencePiece');
  const entries = Object.entries((raw.model?.vocab ?? {}) as Record<string, unknown>);
  const tokens = Array.from<string>({ length: entries.length });
  for (const [token, id] of entries) {
    if (typeof id !== 'number' || !Number.isInteger(id) || id < 0 || id >= entries.length || tokens[id] !== undefined)
      fail('ids 0, 1, 2, ...');
    tokens[id as number] = token;
  }
  const added = Array.isArray(raw.added_tokens) ? (raw.added_tokens as Partial<AddedToken>[]) : fail('added_tokens');
  const addedIds = new Set(added.map(({ id }) => id));
  const specialIds = added.flatMap(({ id, special }) => (special === true ? [id] : []));
  return {
    pieces: isBpe ? byteLevelBpe(raw as Record<string, unknown>) : sentencePiece(piecesOf(raw.model!, tokens, addedIds)),
    tokens,
    named: namedOf(raw.named_tokens ?? {}, specialIds),
    added: added.map(({ id, content, special }) => {
      if (typeof id !== 'number' || typeof content !== 'string' || content === '' || tokens[id] !== content)
        return fail('added tokens of the vocabulary');
      return { id, content, special: special === true };
    }),
  };
}

function namedOf(named: Record<string, unknown>, specialIds: readonly unknown[]): NamedTokens {
  for (const [name, id] of Object.entries(named)) {
    if ((name !== 'bos_token' && name !== 'eos_token') || !specialIds.includes(id))
      fail('bos_token and eos_token among the special tokens');
  }
  return named;
}

function piecesOf(
  { order, space_prefix: spacePrefix }: { readonly order?: unknown; readonly space_prefix?: unknown },
  tokens: readonly string[],
  addedIds: ReadonlySet<unknown>,
): Pieces {
  const ids = new Map(tokens.map((token, id) => [token, id]));
  const bytes = Array.from({ length: 256 }, (_, byte) => ids.get(byteToken(byte)) ?? fail(`the token ${byteToken(byte)}`));
  if (!Array.isArray(order) || typeof spacePrefix !== 'boolean') return fail('an order and space_prefix');
  if (order.some((id) => tokens[id as number] === undefined || addedIds.has(id)) || new Set(order).size !== order.length)
    fail('ids of different tokens in the order');
  const characters = new Map([...ids].filter(([token, id]) => Array.from(token).length === 1 && !addedIds.has(id)));
  return { characters, order: order as number[], tokens, bytes, spacePrefix };
}
