import { CommonweightError } from '@commonweight/protocol';
import { expect, it } from 'vitest';
import { fileError, withFileErrors } from './file-errors.ts';

const systemError = (code: string): Error => Object.assign(new Error(`${code}: write`), { code });

it('a full disk is one sentence that says what to do', async () => {
  const failing = withFileErrors('writing x', async () => {
    throw systemError('ENOSPC');
  });
  await expect(failing).rejects.toThrow('writing x: the disk is full; free some space and start again');
  await expect(failing).rejects.toMatchObject({ code: 'file', action: 'retry', details: { system: 'ENOSPC' } });
});

it('an unknown system error keeps its code', () => {
  expect((fileError(systemError('EWEIRD'), 'reading x') as Error).message).toBe('reading x: the system reports EWEIRD');
});

it('other errors pass unchanged', () => {
  const own = new CommonweightError('no', { code: 'decode' });
  const bug = new TypeError('bug');
  const node = Object.assign(new TypeError('bad argument'), { code: 'ERR_INVALID_ARG_TYPE' });
  for (const error of [own, bug, node]) expect(fileError(error, 'x')).toBe(error);
});
