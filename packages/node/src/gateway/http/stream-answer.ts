import type { Hex32, LogprobEntry } from '@commonweight/protocol';
import type { Context } from 'hono';
import { gatewayLimits as limits } from '../../limits.ts';
import type { Clock } from '../../platform/clock.ts';
import { type ApiError, errorBody } from '../api-error.ts';
import type { Completer } from '../run/complete.ts';
import type { Payments } from '../pay/payments.ts';
import type { Job, Sink } from '../run/job.ts';
import { type AnswerHead, chunkObject, receiptChunk } from './openai-objects.ts';
import { nameRequest } from './name-request.ts';
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
  readonly payments: Payments;
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
  let shown = false;
  let waited = false;
  /** The request that the headers name. */
  let named: Hex32 | undefined;
  let requestHash: Hex32 | undefined;
  const beginNamed = (): void => {
    // nothing is shown before a node was asked
    if (requestHash === undefined) return;
    named ??= requestHash;
    begin();
  };
  const stopWaiting = clock.after(limits.keepaliveMs, () => {
    waited = true;
    beginNamed();
  });
  /** Headers that left while a node kept the client waiting name a request that another node may have answered instead. */
  const answeredBy = async (hash: Hex32 | undefined): Promise<void> => {
    if (named !== undefined && hash !== undefined && hash !== named) await completer.replaced(named, hash);
  };

  const show = (content: string, logprobs: readonly LogprobEntry[]): void => {
    if (content === '' && logprobs.length === 0) return;
    shown = true;
    sse.data(chunkObject(head, { delta: { content }, ...(job.logprobs !== undefined && { logprobs }) }, usage));
    beginNamed();
  };
  const sink: Sink = {
    asked: (node, hash) => {
      requestHash = hash;
      if (named === undefined) nameRequest(c, node, hash);
      if (waited) beginNamed();
    },
    text: show,
    restart: () => !shown,
  };

  sse.data(chunkObject(head, { delta: { role: 'assistant', content: '' } }, usage));
  const answer = completer.complete(job, options.payments, sink, AbortSignal.any([gone.signal, options.gone])).then(async (completion) => {
    const { tail, tailLogprobs, finishReason, bundle } = completion;
    await answeredBy(bundle.receipt.requestHash);
    show(tail, tailLogprobs);
    sse.data(chunkObject(head, { delta: {}, finishReason }, usage));
    sse.data(receiptChunk(head, completion, usage));
    sse.done();
    return 'begun' as const;
  });
  const over = answer
    .catch(async (error: unknown) => {
      const known = toApiError(error);
      sse.data(errorBody(known));
      sse.close();
      await answeredBy(known.provable?.partial.checkpoint.requestHash);
    })
    .finally(() => {
      stopWaiting();
      options.onOver();
    });
  // a failure before the response has begun is thrown here and becomes an ordinary error response
  await Promise.race([begun, answer]);
  void over;
  return c.body(sse.readable, 200, sseHeaders);
}
