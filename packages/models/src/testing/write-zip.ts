import { deflateRawSync } from 'node:zlib';
import { concatBytes, utf8 } from '@commonweight/protocol';
import { u32 } from './write-gguf.ts';

export interface ZipEntry {
  readonly name: string;
  readonly data: Uint8Array;
  readonly stored?: boolean;
  /** Lies for tests: the size that the directory claims. */
  readonly claimedSize?: number;
  readonly method?: number;
}

const u16 = (value: number): Uint8Array => Uint8Array.of(value & 255, value >> 8);

/** A zip file with these entries (checksums left zero: our reader compares a SHA-256 instead). */
export function writeZip(entries: readonly ZipEntry[]): Uint8Array {
  const locals: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let offset = 0;
  for (const { name, data, stored = false, claimedSize = data.length, method = stored ? 0 : 8 } of entries) {
    const packed = stored ? data : deflateRawSync(data);
    const common = concatBytes(
      u16(20),
      u16(0),
      u16(method),
      u32(0),
      u32(0),
      u32(packed.length),
      u32(claimedSize),
      u16(utf8(name).length),
      u16(0),
    );
    const local = concatBytes(u32(0x04034b50), common, utf8(name), packed);
    directory.push(concatBytes(u32(0x02014b50), u16(20), common, u16(0), u16(0), u16(0), u32(0), u32(offset), utf8(name)));
    locals.push(local);
    offset += local.length;
  }
  const central = concatBytes(...directory);
  const end = concatBytes(
    u32(0x06054b50),
    u16(0),
    u16(0),
    u16(entries.length),
    u16(entries.length),
    u32(central.length),
    u32(offset),
    u16(0),
  );
  return concatBytes(...locals, central, end);
}
