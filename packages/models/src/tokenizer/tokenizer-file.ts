import { CommonweightError } from '@commonweight/protocol';

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
}

const fail = (what: string): never => {
  throw new CommonweightError(`tokenizer.json: expected ${what}; import the model again`, { code: 'tokenizer', action: 'stop' });
};

/** Reads what our importer writes: byte-level BPE, no normaliser, no post-processor. Its bytes are bound by the model id; this guards against other writers. */
export function parseTokenizerJson(text: string): TokenizerFile {
  let raw: { model?: { type?: unknown; vocab?: unknown }; normalizer?: unknown; post_processor?: unknown; added_tokens?: unknown };
  try {
    raw = JSON.parse(text) as typeof raw;
  } catch {
    return fail('JSON');
  }
  if (raw.model?.type !== 'BPE') fail('a model of type BPE');
  if (raw.normalizer !== null || raw.post_processor !== null) fail('no normalizer and no post_processor');
  const entries = Object.entries((raw.model?.vocab ?? {}) as Record<string, unknown>);
  const tokens = Array.from<string>({ length: entries.length });
  for (const [token, id] of entries) {
    if (typeof id !== 'number' || !Number.isInteger(id) || id < 0 || id >= entries.length || tokens[id] !== undefined)
      fail('ids 0, 1, 2, ...');
    tokens[id as number] = token;
  }
  const added = Array.isArray(raw.added_tokens) ? (raw.added_tokens as Partial<AddedToken>[]) : fail('added_tokens');
  return {
    raw: raw as Record<string, unknown>,
    tokens,
    added: added.map(({ id, content, special }) => {
      if (typeof id !== 'number' || typeof content !== 'string' || content === '' || tokens[id] !== content)
        return fail('added tokens of the vocabulary');
      return { id, content, special: special === true };
    }),
  };
}
