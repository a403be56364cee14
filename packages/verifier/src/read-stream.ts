import { type PartialBundle, parseBundle, parsePartialBundle } from '@commonweight/protocol';
import { limits } from './limits.ts';
import { isRecord, quoteError, readJson, shownLogprobs, shownText } from './read-json.ts';
import type { Saved } from './read-saved.ts';
import { SavedError } from './saved-error.ts';

/**
 * Reads a saved stream of server-sent events: `data: {...}` chunks, `: keepalive` comments, one chunk with `choices: []` that carries
 * the bundle in `receipt`, `data: [DONE]`.
 *
 * @throws SavedError with code `saved-cut` when the stream ends before the receipt.
 */
export function readStream(text: string): Saved {
  let answerText = '';
  let answerLogprobs: unknown[] | undefined;
  let receipt: unknown;
  let partial: PartialBundle | undefined;
  let events = 0;
  let hasData = false;
  for (const [i, line] of text.split(/\r\n|\n|\r/).entries()) {
    if (line === '' || line.startsWith(':') || /^(?:event|id|retry):/.test(line)) continue;
    const where = `line ${i + 1}`;
    if (!line.startsWith('data:')) {
      if (hasData) throw cut(`${where} is no event`);
      throw new SavedError(`${where}: expected a JSON body or a stream of \`data:\` lines, got ${JSON.stringify(line.slice(0, 60))}`, {
        code: 'saved-format',
      });
    }
    hasData = true;
    if (++events > limits.streamEvents)
      throw new SavedError(`expected at most ${limits.streamEvents} events, got more`, { code: 'saved-size' });
    const data = line.slice(5).trim();
    // clients stop at an error: whatever follows it was shown to nobody
    if (partial) throw new SavedError(`${where}: expected nothing after the error; was the file edited?`, { code: 'saved-format' });
    if (data === '[DONE]') continue;
    const chunk = readChunk(data, where);
    const { error } = chunk;
    if (isRecord(error)) {
      if (error['partial'] === undefined || receipt !== undefined)
        throw new SavedError(`${where}: the stream ended with an error: ${quoteError(error)}`, { code: 'saved-error-body' });
      partial = parsePartialBundle(error['partial'], 'error.partial');
      continue;
    }
    if (chunk['receipt'] !== undefined) {
      if (receipt !== undefined) throw new SavedError(`${where}: expected one receipt, got a second one`, { code: 'saved-format' });
      receipt = chunk['receipt'];
    }
    const choice = theChoice(chunk['choices'], where);
    if (!choice) continue;
    answerText += shownText(choice, 'delta') ?? '';
    const logprobs = shownLogprobs(choice, where);
    if (logprobs) (answerLogprobs ??= []).push(...logprobs);
  }
  const shown = { answerText, ...(answerLogprobs && { answerLogprobs }), kind: 'stream' } as const;
  if (partial) return { partial, ...shown };
  if (receipt === undefined) throw cut('there is no chunk with `receipt`');
  return { bundle: parseBundle(receipt, 'receipt'), ...shown };
}

const cut = (what: string): SavedError =>
  new SavedError(
    `the stream was cut before its receipt (${what}); an answer without a receipt cannot be checked: ask the gateway for GET /v1/requests/HASH, with the hash from the header x-commonweight-request, or ask again and save the stream to its end`,
    {
      code: 'saved-cut',
    },
  );

function readChunk(data: string, where: string): Readonly<Record<string, unknown>> {
  let chunk: unknown;
  try {
    chunk = readJson(data, where);
  } catch (cause) {
    // a stream that dies does so in the middle of a line
    if (cause instanceof SavedError && cause.code === 'saved-format') throw cut(`${where} is incomplete`);
    throw cause;
  }
  if (!isRecord(chunk)) throw new SavedError(`${where}: expected a JSON object`, { code: 'saved-format' });
  return chunk;
}

/** A receipt is for one choice, so the chunks are too: a second choice or a second text could be shown and go by unread. */
function theChoice(choices: unknown, where: string): Readonly<Record<string, unknown>> | undefined {
  if (!Array.isArray(choices) || choices.length === 0) return undefined;
  const [choice] = choices as readonly unknown[];
  if (!isRecord(choice)) return undefined;
  const { text, delta, index = 0 } = choice;
  const twice = typeof text === 'string' && isRecord(delta) && typeof delta['content'] === 'string';
  if (choices.length > 1 || index !== 0 || twice) {
    throw new SavedError(`${where}: expected one choice with one text, index 0; was the file edited?`, { code: 'saved-format' });
  }
  return choice;
}
