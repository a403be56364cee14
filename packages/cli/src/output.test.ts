import { Writable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { type Streams, bar, createOutput, writeWhileRead } from './output.ts';

function record(terminal = false): { streams: Streams; out: string[]; err: string[] } {
  const out: string[] = [];
  const err: string[] = [];
  return { streams: { out: (text) => void out.push(text), err: (text) => void err.push(text), terminal }, out, err };
}

describe('createOutput', () => {
  test('with json every line on stdout is one JSON object and nothing else is said', () => {
    const { streams, out, err } = record();
    const output = createOutput(streams, true);
    output.print('human');
    output.note('human');
    output.event('ready', { url: 'http://x' });
    output.progress('model', 'text', { done: 1 });
    expect(out.map((line) => JSON.parse(line) as unknown)).toEqual([
      { event: 'ready', url: 'http://x' },
      { event: 'model', done: 1 },
    ]);
    expect(err).toEqual([]);
  });

  test('progress is a line every few seconds where nobody can redraw', () => {
    const { streams, err } = record(false);
    const output = createOutput(streams, false);
    for (let i = 0; i < 100; i++) output.progress('model', `at ${i}`, {});
    expect(err).toEqual(['at 0\n']);
  });

  test('a redrawn line is ended before anything else is written', () => {
    const { streams, err } = record(true);
    const output = createOutput(streams, false);
    output.progress('model', 'half', {});
    output.note('note');
    expect(err.join('')).toBe('\r\u001B[Khalf\nnote\n');
  });
});

test('bar', () => {
  expect(bar(1, 2, 4)).toBe('[##..]');
  expect(bar(5, 2, 4)).toBe('[####]');
  expect(bar(0, 0, 4)).toBe('[....]');
});

describe('writeWhileRead', () => {
  const failing = (code: string, tries: string[]): Writable =>
    new Writable({
      autoDestroy: false,
      decodeStrings: false,
      write(text: string, _encoding, done) {
        tries.push(text);
        done(Object.assign(new Error(code), { code }));
      },
    });

  test('a reader that left is no error, and is not written to again', async () => {
    const tries: string[] = [];
    const write = writeWhileRead(failing('EPIPE', tries));
    write('first');
    await new Promise((resolve) => setImmediate(resolve));
    write('second');
    expect(tries).toEqual(['first']);
  });

  test('another failure of the stream is not hidden', () => {
    const stream = failing('ENOSPC', []);
    writeWhileRead(stream);
    expect(() => stream.emit('error', Object.assign(new Error('full'), { code: 'ENOSPC' }))).toThrow('full');
  });
});
