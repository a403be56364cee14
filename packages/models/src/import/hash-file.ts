import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';

const CHUNK_BYTES = 1 << 20;

/** SHA-256 of an open file as 64 hexadecimal digits. */
export async function hashFile(file: FileHandle, size: number, onBytes: (done: number) => void, signal?: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  const buffer = new Uint8Array(CHUNK_BYTES);
  for (let done = 0; done < size;) {
    signal?.throwIfAborted();
    const { bytesRead } = await file.read(buffer, 0, Math.min(buffer.length, size - done), done);
    if (bytesRead === 0) break;
    hash.update(buffer.subarray(0, bytesRead));
    done += bytesRead;
    onBytes(done);
  }
  return hash.digest('hex');
}
