import { CommonweightError } from '@commonweight/protocol';

/** Bad usage or a missing condition: told in one sentence, exit code 2. */
export class UsageError extends CommonweightError {
  override readonly name = 'UsageError';
  constructor(message: string, options: { field?: string; cause?: unknown } = {}) {
    super(message, { code: 'usage', ...options });
  }
}

const systemSentences: Readonly<Record<string, (path: string) => string>> = {
  ENOSPC: (path) =>
    `The disk is full: free about 1 GB on the disk that holds ${path}, or choose another folder with --data, and run the command again.`,
  EDQUOT: (path) =>
    `The disk quota is used up: free about 1 GB where ${path} lies, or choose another folder with --data, and run the command again.`,
  EACCES: (path) => `No permission for ${path}: this user must be able to read and write there, or choose another folder with --data.`,
  EPERM: (path) => `No permission for ${path}: this user must be able to read and write there, or choose another folder with --data.`,
  EROFS: (path) => `${path} lies on a read-only disk: choose another folder with --data.`,
  ENOENT: (path) => `${path} is not there: check the path.`,
  EISDIR: (path) => `${path} is a folder, a file was expected.`,
  ENOTDIR: (path) => `${path} is no folder, or a part of its path is a file.`,
};

/** Follows `cause` down to an error of the operating system that we have a sentence for. */
function systemSentence(error: unknown, where: string): string | undefined {
  for (let current: unknown = error, depth = 0; current instanceof Error && depth < 8; current = current.cause, depth++) {
    const { code, path } = current as NodeJS.ErrnoException;
    const sentence = code === undefined ? undefined : systemSentences[code];
    if (sentence !== undefined) return sentence(path ?? where);
  }
  return undefined;
}

/** One sentence for any error; `expected` is false for a bug of ours, whose stack belongs into the log. */
export function explain(
  error: unknown,
  where = 'the data folder',
): { readonly message: string; readonly code: string; readonly expected: boolean } {
  const system = systemSentence(error, where);
  if (system !== undefined) return { message: system, code: 'system', expected: true };
  if (error instanceof CommonweightError) return { message: error.message, code: error.code, expected: true };
  const message = error instanceof Error ? error.message : String(error);
  return { message: `Internal error: ${message} (run again with --verbose for the stack trace).`, code: 'internal', expected: false };
}
