import { hash } from 'node:crypto';
import type { Sha256 } from '@commonweight/protocol';

/** OpenSSL's SHA-256 for the protocol's Merkle functions: several times as fast as the portable one. */
export const nativeSha256: Sha256 = (data) => hash('sha256', data, 'buffer');
