import { fromBase64, toBase64, utf8 } from '../bytes.ts';
import { DecodeError } from '../errors.ts';
import { limits } from '../limits.ts';

/** The value of an x402 header: base64 of JSON. Throws DecodeError that names `field`; reads no more than `limits.paymentHeader` characters. */
export function decodeHeader(header: string, field: string): unknown {
  if (header.length > limits.paymentHeader) throw new DecodeError(field, `at most ${limits.paymentHeader} characters`, header);
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(fromBase64(header))) as unknown;
  } catch {
    throw new DecodeError(field, 'base64 of JSON', header);
  }
}

export const encodeHeader = (value: unknown): string => toBase64(utf8(JSON.stringify(value)));
