import type { Context } from 'hono';
import { gatewayLimits as limits } from '../../limits.ts';
import { ApiError } from '../api-error.ts';

/** A request body of JSON, bounded. @throws ApiError 413, 415, 400. */
export async function readJson(c: Context): Promise<unknown> {
  if (!/^application\/json\s*(?:;|$)/i.test(c.req.header('content-type') ?? '')) {
    throw new ApiError('expected the content type application/json', { status: 415, code: 'unsupported_media_type' });
  }
  const text = await boundedText(c.req.raw.body);
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw new ApiError(`the body is no JSON: ${cause.message.slice(0, 200)}`, { status: 400, code: 'malformed_json', cause });
  }
}

async function boundedText(body: ReadableStream<Uint8Array> | null): Promise<string> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of body ?? []) {
    length += part.length;
    if (length > limits.bodyBytes) {
      throw new ApiError(`the body is longer than ${limits.bodyBytes} bytes`, { status: 413, code: 'body_too_long' });
    }
    parts.push(part);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(parts));
  } catch (cause) {
    throw new ApiError('the body is no UTF-8 text', { status: 400, code: 'malformed_json', cause });
  }
}
