import { constants } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { CommonweightError } from '@commonweight/protocol';
import { randomHex } from './random.ts';

/** Reads at most `maximum` bytes; a longer file is refused. */
export async function readSmallFile(path: string, maximum: number): Promise<Buffer> {
  const file = await open(path, 'r');
  try {
    const buffer = Buffer.alloc(maximum + 1);
    let length = 0;
    for (;;) {
      const { bytesRead } = await file.read(buffer, length, buffer.length - length, null);
      if (bytesRead === 0) return buffer.subarray(0, length);
      length += bytesRead;
      if (length > maximum) throw new CommonweightError(`${path}: expected at most ${maximum} bytes`, { code: 'file_too_long' });
    }
  } finally {
    await file.close();
  }
}

/** A file that is there whole or not at all. Not forced to disk: for what can be made again. */
export async function writeWholeFile(path: string, data: Uint8Array): Promise<void> {
  const temporary = `${path}.${randomHex(6)}.tmp`;
  const file = await open(temporary, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
  try {
    await file.writeFile(data);
  } finally {
    await file.close();
  }
  await rename(temporary, path);
}

/** Forces a folder's entries to disk: a new file survives a power failure only after this. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

export const isErrno = (error: unknown, code: string): boolean => error instanceof Error && (error as NodeJS.ErrnoException).code === code;
