import { CommonweightError } from '@commonweight/protocol';
import type { NamedTokens } from '../import/named-tokens.ts';

export interface AddedToken {
  readonly id: number;
  readonly content: string;
  readonly special: boolean;
}

export interface TokenizerFile {
  readonly raw: Readonly<Record<string, unknown>>;
  /** Texts by id, without holes. */
  readonly tokens: readonly string[];
  readonly added: readonly AddedToken[];
  /** What the chat template calls `bos_token` and `eos_token`, where it does. */
  readonly named: NamedTokens;
}

const fail = (what: string): never => {
  throw new CommonweightError(`tokenizer.json: expected ${what}; import the model again`, { code: 'tokenizer', action: 'stop' });
};

/** Reads what our importer writes: byte-level BPE, at most NFC as its normaliser, no post-processor. Its bytes are bound by the model id; this guards against other writers. */
export function parseTokenizerJson(text: string): TokenizerFile {
  let raw: {
    model?: { type?: unknown; vocab?: unknown };
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
  if (raw.model?.type !== 'BPE') fail('a model of type BPE');
  if (raw.normalizer !== null && raw.normalizer?.type !== 'NFC') fail('NFC or no normalizer');
  if (raw.post_processor !== null) fail('no post_processor');
  const entries = Object.entries((raw.model?.vocab ?? {}) as Record<string, unknown>);
  const tokens = Array.from<string>({ length: entries.length });
  for (const [token, id] of entries) {
    if (typeof id !== 'number' || !Number.isInteger(id) || id < 0 || id >= entries.length || tokens[id] !== undefined)
      fail('ids 0, 1, 2, ...');
    tokens[id as number] = token;
  }
  const added = Array.isArray(raw.added_tokens) ? (raw.added_tokens as Partial<AddedToken>[]) : fail('added_tokens');
  const specialIds = added.flatMap(({ id, special }) => (special === true ? [id] : []));
  return {
    raw: raw as Record<string, unknown>,
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
