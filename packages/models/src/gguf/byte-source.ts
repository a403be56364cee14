import { readSync } from 'node:fs';
import { CommonweightError } from '@commonweight/protocol';

/** Random access to bytes whose number is known before anything is read. */
export interface ByteSource {
  readonly size: number;
  /** Fills `target` from `offset`; throws when the bytes are not there. */
  readonly read: (offset: number, target: Uint8Array) => void;
}

/** An open file. Reads are synchronous: the converter is bound by arithmetic, and a worker's start is too. */
export function fileSource(descriptor: number, size: number): ByteSource {
  return {
    size,
    read(offset, target) {
      let done = 0;
      while (done < target.length) {
        const count = readSync(descriptor, target, done, target.length - done, offset + done);
        if (count === 0) {
          throw new CommonweightError(`expected ${target.length} bytes at byte ${offset}, the file ended after ${done}`, {
            code: 'file_truncated',
          });
        }
        done += count;
      }
    },
  };
}

export function memorySource(bytes: Uint8Array): ByteSource {
  return {
    size: bytes.length,
    read(offset, target) {
      if (offset < 0 || offset + target.length > bytes.length) {
        throw new CommonweightError(`expected ${target.length} bytes at byte ${offset}, there are ${bytes.length} in all`, {
          code: 'file_truncated',
        });
      }
      target.set(bytes.subarray(offset, offset + target.length));
    },
  };
}
