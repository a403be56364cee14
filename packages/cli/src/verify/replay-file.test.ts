import { expect, it } from 'vitest';
import { compareShown } from './replay-file.ts';

it('prints what was shown where it is the beginning of the answer, and says so where the receipt names no stop string', () => {
  expect(compareShown('one two', 'one', 'stop_string')).toEqual({ shown: 'one' });
  // a stop string that was complete with the last token
  expect(compareShown('one two', 'one', 'length')).toEqual({ shown: 'one', remark: expect.stringMatching(/first 3 of 7 characters/) });
  expect(compareShown('one two', 'one two', 'length')).toEqual({ shown: 'one two' });
  expect(compareShown('one two', undefined, 'length')).toEqual({ shown: 'one two' });
  expect(compareShown('one two', 'two', 'stop_string')).toEqual({ shown: 'one two' });
});
