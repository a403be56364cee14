import { CommonweightError } from '@commonweight/protocol';
import { describe, expect, test } from 'vitest';
import { explain } from './fault.ts';

const system = (code: string, path?: string): Error => Object.assign(new Error(`${code}: something`), { code, ...(path && { path }) });

describe('explain', () => {
  test('a full disk is one sentence that names the place and the way out, also when it is a cause', () => {
    const inner = system('ENOSPC', '/data/models');
    const outer = new CommonweightError('writing failed', { code: 'file', cause: inner });
    for (const error of [inner, outer]) {
      const { message, expected } = explain(error);
      expect(message).toMatch(/disk is full.*\/data\/models.*--data/u);
      expect(message).not.toContain('\n');
      expect(expected).toBe(true);
    }
  });

  test('our own errors speak for themselves', () => {
    expect(explain(new CommonweightError('expected a, got b', { code: 'c' }))).toEqual({
      message: 'expected a, got b',
      code: 'c',
      expected: true,
    });
  });

  test('anything else is an internal error', () => {
    expect(explain(new TypeError('x is not a function'))).toMatchObject({ code: 'internal', expected: false });
  });
});
