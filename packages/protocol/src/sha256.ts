import { sha256 as noble } from '@noble/hashes/sha2.js';

/** SHA-256 of `data`: 32 bytes. Hosts with a faster implementation pass their own where a parameter of this type is offered. */
export type Sha256 = (data: Uint8Array) => Uint8Array;
export const sha256: Sha256 = noble;
