import { open } from 'node:fs/promises';
import { CommonweightError, type Hex32, isHex32 } from '@commonweight/protocol';
import { workerLimits } from '../limits.ts';
import { isErrno } from './files.ts';

/** Reads a private key: `0x` and 64 hexadecimal digits in a file that its owner alone can read. The error never shows the content. */
export async function readKeyFile(path: string): Promise<Hex32> {
  const file = await open(path, 'r').catch((cause: unknown) => {
    throw new CommonweightError(`${path}: expected a key file that can be read (${describe(cause)})`, {
      code: 'key_file',
      action: 'fix-input',
      cause,
    });
  });
  try {
    const { mode, size } = await file.stat();
    if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
      throw new CommonweightError(
        `${path}: others may read this key (mode ${(mode & 0o777).toString(8)}); make it yours alone with chmod 600, and replace the key if it may have been seen`,
        { code: 'key_file_mode', action: 'stop' },
      );
    }
    const text = size > workerLimits.keyFileBytes ? '' : (await file.readFile('utf8')).trim().toLowerCase();
    if (!isHex32(text))
      throw new CommonweightError(`${path}: expected 0x and 64 hexadecimal digits`, { code: 'key_file', action: 'fix-input' });
    return text;
  } finally {
    await file.close();
  }
}

const describe = (error: unknown): string =>
  isErrno(error, 'ENOENT') ? 'there is none' : error instanceof Error ? error.message : String(error);
