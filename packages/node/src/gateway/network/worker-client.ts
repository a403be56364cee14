import {
  CommonweightError,
  type EndRequest,
  type Frame,
  type Hex32,
  type RunRequest,
  parseFrame,
  paymentHeaders,
} from '@commonweight/protocol';
import { Agent, type Dispatcher, request } from 'undici';
import { gatewayLimits as limits } from '../../limits.ts';
import type { Clock } from '../../platform/clock.ts';
import { guardedLookup } from './address-rule.ts';
import { ndjsonLines } from './ndjson-lines.ts';
import { NodeFailure } from './node-failure.ts';
import { paymentDemanded } from './payment-demanded.ts';

/** Speaks to workers. Redirects are never followed, names are resolved under the address rule, every wait has an end. */
export class WorkerClient {
  readonly #agent: Agent;
  readonly #clock: Clock;

  constructor(options: { allowLoopback: boolean; clock: Clock }) {
    this.#clock = options.clock;
    this.#agent = new Agent({
      connect: { timeout: limits.connectMs, lookup: guardedLookup(options.allowLoopback) },
      // frames have their own, shorter deadlines below
      headersTimeout: limits.firstFrameMs,
      bodyTimeout: limits.betweenFramesMs,
      pipelining: 0,
    });
  }

  close(): Promise<void> {
    return this.#agent.destroy();
  }

  /**
   * Starts a run and yields its frames; the last one is `receipt`. Closing the generator closes the connection.
   * @param options.payment - value of `PAYMENT-SIGNATURE`.
   * @throws NodeFailure for everything that is no frame, for an `error` frame and for silence; PaymentDemanded when the node wants to be paid.
   */
  async *run(
    endpoint: URL,
    body: RunRequest,
    { signal, payment }: { readonly signal: AbortSignal; readonly payment?: string | undefined },
  ): AsyncGenerator<Exclude<Frame, { type: 'error' }>> {
    const headers = payment === undefined ? {} : { [paymentHeaders.signature]: payment };
    const response = await this.#send(endpoint, '/v1/run', body, signal, limits.firstFrameMs, headers);
    try {
      const demand = response.headers[paymentHeaders.required];
      if (response.statusCode === 402 && demand !== undefined) {
        // the header says it all; an unread body that is destroyed tells nobody but its listeners
        response.body.on('error', () => undefined);
        throw paymentDemanded(demand);
      }
      if (response.statusCode !== 200) throw await refusal(response);
      for await (const line of ndjsonLines(response.body, lines)) {
        const frame = readFrame(line);
        if (frame.type === 'error')
          throw new NodeFailure(isBusy(frame.code) ? 'busy' : 'refused', `the node gave up: ${frame.code}: ${frame.message}`);
        yield frame;
        if (frame.type === 'receipt') return;
      }
      throw new NodeFailure('unreachable', 'the node closed the connection before its receipt');
    } catch (error) {
      throw asNodeFailure(error, signal);
    } finally {
      response.body.destroy();
    }
  }

  /** Sends the payer's end. True when the node confirms, with the receipt, that the run ended there; false when it was over already. */
  async end(endpoint: URL, body: EndRequest): Promise<boolean> {
    const response = await this.#send(endpoint, '/v1/end', body, undefined, limits.afterEndMs);
    // the same receipt comes as the run's last frame
    response.body.on('error', () => undefined).destroy();
    return response.statusCode >= 200 && response.statusCode < 300;
  }

  /** One JSON document; undefined when the node does not have it (404). */
  async get(endpoint: URL, path: string): Promise<unknown> {
    const deadline = new AbortController();
    const cancel = this.#clock.after(limits.lookupMs, () => deadline.abort());
    try {
      const response = await this.#fetch(endpoint, { method: 'GET', path, signal: deadline.signal }, limits.lookupMs);
      if (response.statusCode === 404) {
        await response.body.dump({ limit: limits.workerJsonBytes });
        return undefined;
      }
      if (response.statusCode !== 200) throw await refusal(response);
      return JSON.parse(await boundedText(response.body)) as unknown;
    } catch (error) {
      throw asNodeFailure(error, deadline.signal);
    } finally {
      cancel();
    }
  }

  receipt(endpoint: URL, digest: Hex32): Promise<unknown> {
    return this.get(endpoint, `/v1/receipts/${digest}`);
  }

  #send(
    endpoint: URL,
    path: string,
    body: unknown,
    signal: AbortSignal | undefined,
    headersTimeout: number,
    more: Readonly<Record<string, string>> = {},
  ): Promise<Dispatcher.ResponseData> {
    const headers = { 'content-type': 'application/json', ...more };
    return this.#fetch(endpoint, { method: 'POST', path, headers, body: JSON.stringify(body), ...(signal && { signal }) }, headersTimeout);
  }

  async #fetch(
    endpoint: URL,
    options: { method: 'GET' | 'POST'; path: string; headers?: Record<string, string>; body?: string; signal?: AbortSignal },
    headersTimeout: number,
  ): Promise<Dispatcher.ResponseData> {
    const { path, ...rest } = options;
    try {
      return await request(new URL(path, endpoint), { ...rest, headersTimeout, dispatcher: this.#agent });
    } catch (error) {
      throw asNodeFailure(error, options.signal);
    }
  }
}

/** Only a line that begins as a receipt may be long. */
const lines = { short: limits.progressLineBytes, long: limits.lineBytes, longStart: Buffer.from('{"type":"receipt"') };

function readFrame(line: string): Frame {
  try {
    return parseFrame(JSON.parse(line));
  } catch (cause) {
    const why = cause instanceof CommonweightError ? cause.message : 'a line is no JSON';
    throw new NodeFailure('malformed', `the node sent no frame: ${why}`, cause);
  }
}

const isBusy = (code: string): boolean => code === 'queue_full' || code === 'busy';

/** What a worker's refusal means: only 429 and 503 say that it has no room now. */
async function refusal(response: Dispatcher.ResponseData): Promise<NodeFailure> {
  const text = await boundedText(response.body);
  const { statusCode } = response;
  return new NodeFailure(
    statusCode === 429 || statusCode === 503 ? 'busy' : 'refused',
    `the node answered ${statusCode}: ${text.slice(0, 300)}`,
  );
}

async function boundedText(body: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of body) {
    length += part.length;
    if (length > limits.workerJsonBytes) throw new NodeFailure('malformed', `the node sent more than ${limits.workerJsonBytes} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

const silence = new Set(['UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT', 'UND_ERR_CONNECT_TIMEOUT']);

function asNodeFailure(error: unknown, signal: AbortSignal | undefined): unknown {
  if (error instanceof NodeFailure) return error;
  if (signal?.aborted && signal.reason instanceof NodeFailure) return signal.reason;
  if (error instanceof SyntaxError) return new NodeFailure('malformed', 'the node sent no JSON', error);
  const code = error instanceof Error ? String((error as NodeJS.ErrnoException).code) : '';
  if (silence.has(code)) return new NodeFailure('silent', 'the node did not answer in time', error);
  return new NodeFailure('unreachable', `the node cannot be reached or hung up (${code || 'closed'})`, error);
}
