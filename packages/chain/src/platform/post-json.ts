import { type IncomingMessage, type RequestOptions, request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { limits } from '../limits.ts';

export interface Answer {
  readonly status: number;
  readonly text: string;
}

/** Says that the answer did not come within the time that it was given. */
export class LateAnswer extends Error {
  override readonly name = 'LateAnswer';
}

/**
 * POSTs JSON and reads the answer, within `timeout` milliseconds altogether. Not by `fetch`: loading that costs a process 40 ms, and its streams cost
 * every one of a start's many small calls more than the call. Connections are kept and reused by Node's own agent, and keep no process alive.
 */
export function postJson(url: string, body: string, timeout: number): Promise<Answer> {
  const send = new URL(url).protocol === 'https:' ? httpsRequest : httpRequest;
  const options: RequestOptions = {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
  };
  return new Promise((resolve, reject) => {
    const request = send(url, options, (response) => void read(response).then(resolve, reject));
    const late = setTimeout(() => request.destroy(new LateAnswer(`no answer within ${timeout} ms`)), timeout);
    request
      .once('error', reject)
      .once('close', () => clearTimeout(late))
      .end(body);
  });
}

async function read(response: IncomingMessage): Promise<Answer> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of response as AsyncIterable<Buffer>) {
    bytes += part.length;
    // leaving the loop by an error closes the connection
    if (bytes > limits.rpcAnswerBytes) throw new Error(`the answer has more than ${limits.rpcAnswerBytes} bytes`);
    parts.push(part);
  }
  return { status: response.statusCode ?? 0, text: Buffer.concat(parts).toString('utf8') };
}
