import { type Frame, parseFrame } from '@commonweight/protocol';
import { describe, expect, it } from 'vitest';
import { FrameStream } from './frame-stream.ts';

const token = (index: number): Frame => ({ type: 'token', index, id: 7 });
const last: Frame = { type: 'error', code: 'x', message: 'y', retryable: false };

async function read(stream: FrameStream): Promise<Frame[]> {
  let text = '';
  for await (const chunk of stream.readable) text += Buffer.from(chunk).toString('utf8');
  return text
    .trimEnd()
    .split('\n')
    .map((line) => parseFrame(JSON.parse(line)));
}

describe('frame stream', () => {
  it('hands frames over in order, ends after the last, and ignores what comes later', async () => {
    const stream = new FrameStream(() => expect.unreachable('the reader is there'));
    const frames = read(stream);
    stream.push(token(0));
    await Promise.resolve();
    stream.push(token(1));
    stream.end(last);
    stream.push(token(2));
    stream.end(last);
    expect(await frames).toEqual([token(0), token(1), last]);
  });

  it('keeps the newest progress when nobody reads', async () => {
    const stream = new FrameStream(() => expect.unreachable('progress is bounded'), 3);
    for (let ahead = 9; ahead > 0; ahead--) stream.push({ type: 'queued', ahead });
    for (let done = 1; done < 100; done++) stream.push({ type: 'prefill', done, total: 100, cached: 0 });
    stream.push(token(0));
    stream.end(last);
    expect(await read(stream)).toEqual([
      { type: 'queued', ahead: 1 },
      { type: 'prefill', done: 99, total: 100, cached: 0 },
      token(0),
      last,
    ]);
  });

  it('cuts off a reader that is too far behind, and frees what it held', async () => {
    let gone = 0;
    const stream = new FrameStream(() => gone++, 4);
    for (let i = 0; i < 10; i++) stream.push(token(i));
    expect([gone, stream.unread]).toEqual([1, 0]);
    stream.end(last);
    await expect(read(stream)).rejects.toThrow(/too slow/);
  });

  it('reports a reader that goes away, once, and not after the end', async () => {
    let gone = 0;
    const stream = new FrameStream(() => gone++);
    stream.push(token(0));
    await stream.readable.cancel();
    stream.push(token(1));
    expect([gone, stream.unread]).toEqual([1, 0]);
    const ended = new FrameStream(() => gone++);
    ended.end(last);
    await ended.readable.cancel();
    expect(gone).toBe(1);
  });
});
