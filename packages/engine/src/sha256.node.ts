import type { Sha256 } from '@commonweight/protocol';
import { hash } from 'node:crypto';

/** SHA-256 by OpenSSL: several times as fast as the portable one. */
export const nodeSha256: Sha256 = (data) => hash('sha256', data, 'buffer');
