import { CommonweightError } from '@commonweight/protocol';
import type { NamedTokens } from '../import/named-tokens.ts';
import { limits } from '../limits.ts';
import { splitOnTexts } from './split-on-texts.ts';
import { parseTokenizerJson } from './tokenizer-file.ts';

export interface EncodeOptions {
  /** Whether the texts of control tokens in `text` become those tokens. Never true for text that a user wrote. */
  readonly allowSpecial: boolean;
}

export interface DecodeOptions {
  /** Whether control tokens appear as their texts; by default they decode to nothing. */
  readonly special?: boolean;
}

/** Decodes ids one at a time: the pushes and `end()` put together equal `decode` of all of them. */
export interface TokenStream {
  /** Text that is certain by now; the bytes of a character that is not complete are held back. */
  readonly push: (id: number) => string;
  /** The rest: U+FFFD for a character that was never completed. */
  readonly end: () => string;
}

export interface Tokenizer {
  readonly vocabulary: number;
  readonly encode: (text: string, options: EncodeOptions) => number[];
  /** UTF-8 with U+FFFD for what is not (WHATWG decoding). */
  readonly decode: (ids: readonly number[], options?: DecodeOptions) => string;
  /** The bytes that a token stands for; none for a control token unless `special`. */
  readonly idToBytes: (id: number, options?: DecodeOptions) => Uint8Array;
  readonly stream: (options?: DecodeOptions) => TokenStream;
  /** Ids of control tokens by their text. */
  readonly special: ReadonlyMap<string, number>;
  /** Ids of what the chat template calls `bos_token` and `eos_token`, where it does. */
  readonly named: NamedTokens;
}

/** Builds a tokenizer from the text of a package's tokenizer.json. A SentencePiece's `decode` keeps the space that `encode` may put before a text. */
export function createTokenizer(tokenizerJson: string): Tokenizer {
  const file = parseTokenizerJson(tokenizerJson);
  // Added tokens are cut out here, under our own rule for user text; the model sees only what is between them.
  const special = new Map(file.added.filter((token) => token.special).map((token) => [token.content, token.id]));
  const always = new Map(file.added.filter((token) => !token.special).map((token) => [token.content, token.id]));
  const all = new Map([...special, ...always]);
  const controlIds = new Set(special.values());
  const added = new Map(file.added.map((token) => [token.id, new TextEncoder().encode(token.content)]));
  const nothing = new Uint8Array(0);

  const idToBytes = (id: number, options: DecodeOptions = {}): Uint8Array => {
    const token = file.tokens[id];
    if (token === undefined) {
      throw new CommonweightError(`token id: expected 0 to ${file.tokens.length - 1}, got ${id}`, { code: 'token_id', field: 'id' });
    }
    if (controlIds.has(id) && !options.special) return nothing;
    return added.get(id) ?? file.pieces.bytesOf(token);
  };
  const stream = (options: DecodeOptions = {}): TokenStream => {
    const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
    return {
      push: (id) => decoder.decode(idToBytes(id, options), { stream: true }),
      end: () => decoder.decode(),
    };
  };
  return {
    vocabulary: file.tokens.length,
    special,
    named: file.named,
    idToBytes,
    stream,
    encode(text, { allowSpecial }) {
      if (text.length > limits.textLength) {
        throw new CommonweightError(`text: expected at most ${limits.textLength} characters, got ${text.length}`, {
          code: 'text_length',
          field: 'text',
        });
      }
      const ids: number[] = [];
      for (const piece of splitOnTexts(text, allowSpecial ? all : always)) {
        if (typeof piece === 'number') ids.push(piece);
        else for (const id of file.pieces.encode(piece)) ids.push(id);
      }
      return ids;
    },
    decode(ids, options = {}) {
      const { push, end } = stream(options);
      let text = '';
      for (const id of ids) text += push(id);
      return text + end();
    },
  };
}
