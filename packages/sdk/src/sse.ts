import { AnswerRefused } from './errors.ts';
import { limits } from './limits.ts';

/**
 * Data of server-sent events, one string an event (WHATWG HTML, section 9.2.6). Comments, names and ids are passed over.
 * An event that the stream's end cuts is dropped, as the standard says.
 */
export async function* sseData(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  let data: string[] = [];
  let size = 0;
  let events = 0;
  for await (const line of lines(body)) {
    if (line === '') {
      if (data.length > 0) {
        if (++events > limits.streamEvents) throw malformed(`more than ${limits.streamEvents} events`);
        yield data.join('\n');
      }
      data = [];
      size = 0;
      continue;
    }
    if (!line.startsWith('data:') && line !== 'data') continue;
    const value = line.slice(5);
    size += value.length;
    if (size > limits.bodyBytes) throw malformed(`an event of more than ${limits.bodyBytes} characters`);
    data.push(value.startsWith(' ') ? value.slice(1) : value);
  }
}

/** Lines that end with LF, CR or CRLF. */
async function* lines(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  let afterReturn = false;
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      let text = decoder.decode(value, { stream: true });
      if (text === '') continue;
      if (afterReturn && text.startsWith('\n')) text = text.slice(1);
      afterReturn = text.endsWith('\r');
      const parts = text.split(/\r\n|\r|\n/);
      for (const part of parts.slice(0, -1)) {
        yield rest + part;
        rest = '';
      }
      rest += parts.at(-1)!;
      if (rest.length > limits.bodyBytes) throw malformed(`a line of more than ${limits.bodyBytes} characters`);
    }
  } finally {
    // whoever stops reading hangs up
    await reader.cancel().catch(() => undefined);
  }
}

const malformed = (what: string): AnswerRefused => new AnswerRefused(`the gateway sent ${what}`, 'malformed');
