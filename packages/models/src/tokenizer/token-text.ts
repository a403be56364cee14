import type { TokenText } from '@commonweight/protocol';
import type { Tokenizer } from './create-tokenizer.ts';

/** What one token shows of itself. A control token shows its name; an id without a token (the padding of a vocabulary) shows nothing. */
export function tokenText(tokenizer: Tokenizer, id: number): TokenText {
  if (id >= tokenizer.vocabulary) return { token: '', bytes: null };
  const bytes = tokenizer.idToBytes(id);
  const decode = (of: Uint8Array): string => new TextDecoder('utf-8', { ignoreBOM: true }).decode(of);
  return bytes.length === 0
    ? { token: decode(tokenizer.idToBytes(id, { special: true })), bytes: null }
    : { token: decode(bytes), bytes: [...bytes] };
}

/** The bytes that an id stands for in a text: none for a control token and for an id without a token. */
export const tokenBytes = (tokenizer: Tokenizer, id: number): Uint8Array =>
  id < tokenizer.vocabulary ? tokenizer.idToBytes(id) : new Uint8Array(0);
