import { CommonweightError } from '@commonweight/protocol';

/** GPT-2's alphabet: every byte as one printable character (openai/gpt-2, encoder.py, bytes_to_unicode). */
const bytes = new Map<string, number>();
for (let byte = 0, next = 256; byte < 256; byte++) {
  const printable = (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
  bytes.set(String.fromCharCode(printable ? byte : next++), byte);
}

export function byteOf(character: string): number {
  const byte = bytes.get(character);
  if (byte === undefined) {
    throw new CommonweightError(`tokenizer.json: expected tokens in the byte alphabet, got ${JSON.stringify(character)}`, {
      code: 'tokenizer',
    });
  }
  return byte;
}

/** The characters of the alphabet, in order of their bytes. */
export const byteCharacters: readonly string[] = [...bytes.keys()];
