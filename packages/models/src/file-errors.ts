import { CommonweightError, type ErrorAction } from '@commonweight/protocol';

const advice: Readonly<Record<string, readonly [sentence: string, action: ErrorAction]>> = {
  ENOSPC: ['the disk is full; free some space and start again', 'retry'],
  EDQUOT: ['the disk quota is used up; free some space and start again', 'retry'],
  EROFS: ['the file system is read-only; choose another data folder', 'fix-input'],
  EACCES: ['no permission; choose another folder or change its permissions', 'fix-input'],
  EPERM: ['no permission; choose another folder or change its permissions', 'fix-input'],
  ENOENT: ['there is no such file or folder', 'fix-input'],
  ENOTDIR: ['a part of the path is not a folder', 'fix-input'],
  EISDIR: ['this is a folder, a file is needed', 'fix-input'],
  EMFILE: ['too many open files; raise the limit (ulimit -n)', 'retry'],
  EFBIG: ['the file system does not hold files of this size', 'fix-input'],
  EIO: ['the disk reports an input/output error', 'stop'],
};

/** Turns a system error into one sentence that says what was being done and what to do; any other error is returned as it is. */
export function fileError(error: unknown, doing: string): unknown {
  const code = (error as NodeJS.ErrnoException | null)?.code;
  if (error instanceof CommonweightError || typeof code !== 'string' || !/^E[A-Z0-9]+$/.test(code)) return error;
  const [sentence, action] = advice[code] ?? [`the system reports ${code}`, 'stop'];
  return new CommonweightError(`${doing}: ${sentence}`, { code: 'file', action, details: { system: code }, cause: error });
}

/** Runs `work`; see {@link fileError}. */
export async function withFileErrors<T>(doing: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw fileError(error, doing);
  }
}
