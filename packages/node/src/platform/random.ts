import { randomBytes } from 'node:crypto';

/** `bytes` random bytes from the operating system, as lower-case hex without `0x`. */
export const randomHex = (bytes: number): string => randomBytes(bytes).toString('hex');
