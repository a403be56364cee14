import { type IncomingMessage, get } from 'node:http';
import { limits } from '../limits.ts';

/** GETs JSON from a program of ours on this machine. Throws when it does not answer in time, says something else than 200, or too much. */
export function getJson(url: string): Promise<unknown> {
  // not by `fetch`: loading it takes 40 ms of a start that has nothing else to fetch
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(limits.httpTimeout);
    get(url, { signal }, (response) => void read(url, response).then(resolve, reject)).once('error', reject);
  });
}

async function read(url: string, response: IncomingMessage): Promise<unknown> {
  if (response.statusCode !== 200) {
    response.destroy();
    throw new Error(`${url} answered ${response.statusCode}`);
  }
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of response as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > limits.answerBytes) throw new Error(`${url} answered with more than the ${limits.answerBytes} bytes that are read`);
    parts.push(part);
  }
  return JSON.parse(Buffer.concat(parts).toString('utf8'));
}
