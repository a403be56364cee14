import { open, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { withFileErrors } from '../file-errors.ts';
import { fileSource } from '../gguf/byte-source.ts';
import { SafetensorsError } from './safetensors-error.ts';

/** What went into an import: for the digest on the card. */
export interface SmallFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Reads a file whole, after its kind and size were checked; undefined when there is none. */
export async function readSmallFile(path: string, maximum: number): Promise<SmallFile | undefined> {
  const name = basename(path);
  return await withFileErrors(`reading ${path}`, async () => {
    // Before opening: opening a pipe would wait for a writer.
    const found = await stat(path).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    });
    if (!found) return undefined;
    if (!found.isFile()) throw new SafetensorsError('safetensors_config', name, undefined, 'a file', 'something else');
    if (found.size > maximum) {
      throw new SafetensorsError('safetensors_limit', name, undefined, `at most ${maximum} bytes`, String(found.size));
    }
    const file = await open(path, 'r');
    try {
      const bytes = new Uint8Array(found.size);
      fileSource(file.fd, found.size).read(0, bytes);
      return { name, bytes };
    } finally {
      await file.close();
    }
  });
}
