import { CommonweightError } from '@commonweight/protocol';

/** What may be written of an unexpected error: where it came from, not its message, which may quote input. */
export type ErrorOrigin = Readonly<Record<'name' | 'code' | 'at', string>>;

export function describeError(error: unknown): ErrorOrigin {
  if (!(error instanceof Error)) return { name: typeof error, code: '', at: '' };
  const frames = (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line));
  return { name: error.name, code: error instanceof CommonweightError ? error.code : '', at: frames.slice(0, 6).join(' ').trim() };
}
