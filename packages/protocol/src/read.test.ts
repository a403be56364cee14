import { expect, it } from 'vitest';
import { DecodeError } from './errors.ts';
import { Fields } from './read.ts';

it('refuses -0, which canonical JSON has no spelling for', () => {
  const f = new Fields(JSON.parse('{"zero": 0, "negative": -0, "list": [0, -0]}'), 'x', ['zero', 'negative', 'list']);
  expect(f.integer('zero', 0, 9)).toBe(0);
  expect(() => f.integer('negative', 0, 9)).toThrow(new DecodeError('x.negative', 'an integer from 0 to 9', -0));
  expect(() => f.integers('list', 9, 0, 9)).toThrow('x.list[1]: expected an integer from 0 to 9, got number -0');
});
