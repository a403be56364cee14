import { expect, it } from 'vitest';
import { compareCovered, compareShown } from './replay-file.ts';

it('prints what was shown where it is the beginning of the answer, and says so where the receipt names no stop string', () => {
  expect(compareShown('one two', 'one', true)).toEqual({ shown: 'one', differs: false });
  // a stop string that was complete with the last token
  expect(compareShown('one two', 'one', false)).toEqual({
    shown: 'one',
    differs: false,
    remark: expect.stringMatching(/first 3 of 7 characters/),
  });
  expect(compareShown('one two', 'one two', false)).toEqual({ shown: 'one two', differs: false });
  expect(compareShown('one two', undefined, false)).toEqual({ shown: 'one two', differs: false });
  expect(compareShown('one two', 'two', true)).toEqual({ shown: 'one two', differs: true });
});

it('of an answer that broke off, prints what the covered tokens say, and names what the file shows beyond them', () => {
  expect(compareCovered('one tw', 'one two')).toEqual({
    shown: 'one tw',
    differs: false,
    remark: expect.stringMatching(/1 UTF-16 units\) is not covered/),
  });
  expect(compareCovered('one tw\ufffd', 'one tw')).toEqual({ shown: 'one tw', differs: false });
  expect(compareCovered('one two', 'one')).toEqual({ shown: 'one two', differs: false });
  expect(compareCovered('one two', undefined)).toEqual({ shown: 'one two', differs: false });
  expect(compareCovered('one two', 'two one')).toEqual({ shown: 'one two', differs: true });
});
