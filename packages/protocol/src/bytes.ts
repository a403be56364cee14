import { CommonweightError } from './errors.ts';

declare const brand: unique symbol;
/** `0x` and an even number of lower-case hexadecimal digits. */
export type Hex = `0x${string}`;
/** 32 bytes as {@link Hex}. */
export type Hex32 = Hex & { readonly [brand]?: 'hex32' };
/** 20 bytes as lower-case {@link Hex} (no EIP-55 checksum anywhere on our wire). */
export type Address = Hex & { readonly [brand]?: 'address' };
export type ModelId = Hex32;

const HEX = Array.from({ length: 256 }, (_, i) => i.toString(16).padStart(2, '0'));

export function toHex(bytes: Uint8Array): Hex {
  let text = '0x';
  for (const byte of bytes) text += HEX[byte];
  return text as Hex;
}

/** Decodes `0x...`; throws when a digit is not hexadecimal, the length is odd, or `length` (bytes) differs. */
export function fromHex(hex: string, length?: number): Uint8Array {
  if (!/^0x(?:[0-9a-fA-F]{2})*$/.test(hex) || (length !== undefined && hex.length !== 2 + 2 * length)) {
    throw new CommonweightError(
      `expected 0x and ${length === undefined ? 'an even number of' : 2 * length} hexadecimal digits, got ${hex.length} characters`,
      { code: 'hex' },
    );
  }
  const bytes = new Uint8Array((hex.length - 2) / 2);
  for (let i = 0; i < bytes.length; i++) bytes[i] = Number.parseInt(hex.slice(2 + 2 * i, 4 + 2 * i), 16);
  return bytes;
}

export const isHex32 = (value: unknown): value is Hex32 => typeof value === 'string' && /^0x[0-9a-f]{64}$/.test(value);
export const isAddress = (value: unknown): value is Address => typeof value === 'string' && /^0x[0-9a-f]{40}$/.test(value);

export const ZERO_HEX32 = `0x${'00'.repeat(32)}` as Hex32;
export const ZERO_ADDRESS = `0x${'00'.repeat(20)}` as Address;

export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const out = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= a[i]! ^ b[i]!;
  return difference === 0;
}

export const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Big-endian unsigned integer of `length` bytes. */
export function uintBE(value: bigint | number, length: number): Uint8Array {
  let rest = BigInt(value);
  if (rest < 0n || rest >= 1n << BigInt(8 * length)) {
    throw new CommonweightError(`expected an unsigned integer of ${8 * length} bits, got ${value}`, { code: 'range' });
  }
  const bytes = new Uint8Array(length);
  for (let i = length - 1; i >= 0; i--) {
    bytes[i] = Number(rest & 255n);
    rest >>= 8n;
  }
  return bytes;
}

export function toBase64(bytes: Uint8Array): string {
  let binary = '';
  for (let i = 0; i < bytes.length; i += 8192) binary += String.fromCharCode(...bytes.subarray(i, i + 8192));
  return btoa(binary);
}

/** Strict base64 (padded, canonical); throws {@link CommonweightError}. */
export function fromBase64(text: string): Uint8Array {
  let binary: string;
  try {
    binary = atob(text);
  } catch (cause) {
    throw new CommonweightError('expected base64 text', { code: 'base64', cause });
  }
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = binary.charCodeAt(i);
  if (toBase64(bytes) !== text) throw new CommonweightError('expected canonical base64 text', { code: 'base64' });
  return bytes;
}
