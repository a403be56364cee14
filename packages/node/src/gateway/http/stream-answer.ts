import type { LogprobEntry } from '@commonweight/protocol';
import type { Context } from 'hono';
import { gatewayLimits as limits } from '../../limits.ts';
import type { Clock } from '../../platform/clock.ts';
import { type ApiError, errorBody } from '../api-error.ts';
import type { Completer } from '../run/complete.ts';
import type { Job, Sink } from '../run/job.ts';
import { type AnswerHead, chunkObject, receiptChunk } from './openai-objects.ts';
import { SseStream, sseHeaders } from './sse-stream.ts';

export interface StreamAnswerOptions {
  readonly c: Context;
  readonly job: Job;
  readonly head: AnswerHead;
  /** The client asked for usage. */
  readonly usage: boolean;
  /** The client's connection. */
  readonly gone: AbortSignal;
  readonly completer: Completer;
  readonly clock: Clock;
  readonly toApiError: (error: unknown) => ApiError;
  /** Called once when the answer is over, however it ends. */
  readonly onOver: () => void;
}

/**
 * Streams an answer. The response begins with the first text or after a while of waiting; a failure before that is an ordinary error
 * response, one after it an error chunk without the finish chunk and without `[DONE]`.
 */
export async function streamAnswer(options: StreamAnswerOptions): Promise<Response> {
  const { c, job, head, usage, completer, clock, toApiError } = options;
  const gone = new AbortController();
  const sse = new SseStream(clock, () => gone.abort());
  let begin!: () => void;
  const begun = new Promise<'begun'>((resolve) => (begin = () => resolve('begun')));
  const stopWaiting = clock.after(limits.keepaliveMs, begin);
  let shown = false;
  let node = '';

  const show = (content: string, logprobs: readonly LogprobEntry[]): void => {
    if (content === '' && logprobs.length === 0) return;
    shown = true;
    sse.data(chunkObject(head, { delta: { content }, ...(job.logprobs !== undefined && { logprobs }) }, usage));
    begin();
  };
  const sink: Sink = { asked: (id) => (node = id), text: show, restart: () => !shown };

  sse.data(chunkObject(head, { delta: { role: 'assistant', content: '' } }, usage));
  const answer = completer.complete(job, sink, AbortSignal.any([gone.signal, options.gone])).then((completion) => {
    const { tail, tailLogprobs, finishReason } = completion;
    show(tail, tailLogprobs);
    sse.data(chunkObject(head, { delta: {}, finishReason }, usage));
    sse.data(receiptChunk(head, completion, usage));
    sse.done();
    return 'begun' as const;
  });
  const over = answer
    .catch((error: unknown) => {
      sse.data(errorBody(toApiError(error)));
      sse.close();
    })
    .finally(() => {
      stopWaiting();
      options.onOver();
    });
  // a failure before the response has begun is thrown here and becomes an ordinary error response
  await Promise.race([begun, answer]);
  void over;
  return c.body(sse.readable, 200, { ...sseHeaders, ...(node !== '' && { 'x-commonweight-node': node }) });
}
