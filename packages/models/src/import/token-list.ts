import type { NamedTokens } from './named-tokens.ts';

/** llama_token_type of GGUF. */
export const TokenType = { normal: 1, unknown: 2, control: 3, userDefined: 4, unused: 5, byte: 6 } as const;

/** The tokens of a model, whatever cuts texts into them. */
export interface TokenList {
  readonly tokens: readonly string[];
  /** One {@link TokenType} a token. */
  readonly types: readonly number[];
  /** Tokens that end an answer by the model's own word. */
  readonly endIds: readonly number[];
  readonly named: NamedTokens;
}

/** Throws a typed error that names the input's own field. */
export type RefuseField = (
  field: 'tokens' | 'token_type' | 'merges' | 'pre' | 'scores',
  at: number | undefined,
  expected: string,
  got: string | readonly (string | number)[],
) => never;

/** Texts of control tokens that end an answer, beside the file's own eos and eot ids (llama.cpp treats the same ones so). */
const END_TEXTS: readonly string[] = ['<|endoftext|>', '<|im_end|>', '<|end_of_text|>', '<|eot_id|>', '<|end|>', '</s>'];

/** Ids by text; refuses a list that does not fit the model. */
export function checkTokens({ tokens, types }: TokenList, vocabulary: number, refuse: RefuseField): Readonly<Record<string, number>> {
  if (tokens.length !== vocabulary) refuse('tokens', undefined, `${vocabulary} tokens, one a row of token_embd`, tokens);
  if (types.length !== tokens.length) refuse('token_type', undefined, `${tokens.length} types`, types);
  const vocab: Record<string, number> = Object.create(null) as Record<string, number>;
  for (const [id, token] of tokens.entries()) {
    if (token === '' || token in vocab) refuse('tokens', id, 'a text that no other token has', JSON.stringify(token));
    vocab[token] = id;
  }
  return vocab;
}

/** Of tokenizer.json: control tokens, which no text becomes unless it is allowed, and tokens that are cut out of every text. */
export function addedTokens({ tokens, types, named }: TokenList): object[] {
  const namedIds = Object.values(named);
  return tokens.flatMap((content, id) => {
    const special = types[id] === TokenType.control || types[id] === TokenType.unknown || namedIds.includes(id);
    if (!special && types[id] !== TokenType.userDefined) return [];
    return [{ id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special }];
  });
}

export const namedField = ({ named }: TokenList): object => (Object.keys(named).length > 0 ? { named_tokens: named } : {});

export function stopIdsOf({ tokens, types, endIds }: TokenList): number[] {
  const ids = new Set<number>(endIds);
  for (const [id, token] of tokens.entries()) if (types[id] === TokenType.control && END_TEXTS.includes(token)) ids.add(id);
  return [...ids].sort((a, b) => a - b);
}
