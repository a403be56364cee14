import { hash } from 'node:crypto';
import type { Sha256 } from './sha256.ts';

/**
 * SHA-256 by the runtime's OpenSSL: several times as fast as the portable one. Asked for as a string of one character a byte: a Buffer for 32 bytes
 * costs Node more than hashing a node of a tree.
 */
export const nodeSha256: Sha256 = (data) => {
  const characters = hash('sha256', data, 'binary');
  const digest = new Uint8Array(characters.length);
  for (let i = 0; i < digest.length; i++) digest[i] = characters.charCodeAt(i);
  return digest;
};
