import { type Hex, type LogprobEntry, paymentHeaders } from '@commonweight/protocol';
import type { Context } from 'hono';
import { gatewayLimits as limits } from '../../limits.ts';
import type { Clock } from '../../platform/clock.ts';
import { ApiError } from '../api-error.ts';
import type { Payments } from '../pay/payments.ts';
import { type Completer, type Completion } from '../run/complete.ts';
import type { Job, Sink } from '../run/job.ts';
import { makeJob } from '../run/make-job.ts';
import { chatRequestSchema } from '../schema/chat-request.ts';
import { parseBody } from '../schema/parse.ts';
import type { ChatModels } from '../text/chat-models.ts';
import { type AnswerHead, completionObject } from './openai-objects.ts';
import { readJson } from './read-json.ts';
import { nameRequest } from './name-request.ts';
import { streamAnswer } from './stream-answer.ts';

export interface ChatRouteOptions {
  readonly models: ChatModels;
  readonly completer: Completer;
  /** How this request is paid. @param header - the client's `PAYMENT-SIGNATURE` */
  readonly payments: (header: string | undefined) => Payments;
  readonly clock: Clock;
  /** `bytes` random bytes. */
  readonly draw: (bytes: number) => Hex;
  /** Errors as the client may see them. */
  readonly toApiError: (error: unknown) => ApiError;
}

/** `POST /v1/chat/completions`. */
export function chatRoute(options: ChatRouteOptions): (c: Context) => Promise<Response> {
  const { models, completer, clock, draw } = options;
  let running = 0;

  return async (c) => {
    if (running >= limits.concurrentRequests) {
      const headers = { 'retry-after': String(limits.retryAfterSeconds) };
      throw new ApiError(`${running} requests are in progress; try again`, { status: 429, code: 'too_many_requests', headers });
    }
    running++;
    const release = (): void => void running--;
    let streams = false;
    try {
      const request = parseBody(chatRequestSchema, await readJson(c));
      const model = models.find(request.model);
      if (!model) {
        const message = `model: this gateway does not know ${JSON.stringify(request.model)}; see GET /v1/models`;
        throw new ApiError(message, { status: 404, code: 'model_not_found', param: 'model' });
      }
      if (request.stream_options && !request.stream) {
        throw new ApiError('stream_options: only allowed with stream: true', {
          status: 400,
          code: 'invalid_value',
          param: 'stream_options',
        });
      }
      const payments = options.payments(c.req.header(paymentHeaders.signature));
      const job = await makeJob(request, model, () => draw(16));
      const head: AnswerHead = { id: `chatcmpl-${draw(12).slice(2)}`, created: Math.floor(clock.now() / 1000), model };
      const gone = c.req.raw.signal;
      if (!request.stream) return await wholeAnswer(c, { completer, payments, job, head, gone });
      const usage = request.stream_options?.include_usage === true;
      // a stream outlives its handler, and keeps its place until it is over
      streams = true;
      return await streamAnswer({ c, job, head, usage, gone, completer, payments, clock, toApiError: options.toApiError, onOver: release });
    } finally {
      if (!streams) release();
    }
  };
}

interface WholeAnswerOptions {
  readonly completer: Completer;
  readonly payments: Payments;
  readonly job: Job;
  readonly head: AnswerHead;
  readonly gone: AbortSignal;
}

async function wholeAnswer(c: Context, { completer, payments, job, head, gone }: WholeAnswerOptions): Promise<Response> {
  let text = '';
  let entries: LogprobEntry[] = [];
  const sink: Sink = {
    asked: (node, requestHash) => nameRequest(c, node, requestHash),
    text: (delta, logprobs) => {
      text += delta;
      entries.push(...logprobs);
    },
    restart: () => {
      text = '';
      entries = [];
      return true;
    },
  };
  const completion: Completion = await completer.complete(job, payments, sink, gone);
  const { receiptId, tail, tailLogprobs, finishReason, settlement } = completion;
  if (settlement !== undefined) c.header(paymentHeaders.response, settlement);
  c.header('x-commonweight-receipt', receiptId);
  const logprobs = job.logprobs === undefined ? undefined : [...entries, ...tailLogprobs];
  return c.json(completionObject(head, { content: text + tail, logprobs, finishReason }, completion));
}
