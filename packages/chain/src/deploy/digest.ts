import { type Hex32, canonicalize, sha256, toHex, utf8 } from '@commonweight/protocol';
import { codeDigest } from '../code-digest.gen.ts';
import { type GenesisParameters } from './genesis.ts';

/**
 * What a program deploys, in 32 bytes, without hashing any code: so a start can see that a data folder's contracts are those of this program and these terms.
 * Whose votes they are is not in it: the addresses commit to that.
 */
export const deploymentDigest = ({ governor, parameters, split, assets, nodes, auditSeed }: GenesisParameters): Hex32 =>
  toHex(sha256(utf8(canonicalize(plain({ codeDigest, governor, parameters, split, assets, nodes, auditSeed }))))) as Hex32;

/** Canonical JSON knows neither bigint nor undefined. */
const plain = (value: object): Record<string, unknown> =>
  JSON.parse(JSON.stringify(value, (_, field: unknown) => (typeof field === 'bigint' ? String(field) : field))) as Record<string, unknown>;
