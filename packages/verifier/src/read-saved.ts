import { type Bundle, PARTIAL_VERSION, type PartialBundle, parseBundle, parsePartialBundle } from '@commonweight/protocol';
import { limits } from './limits.ts';
import { isRecord, quoteError, readJson, shownLogprobs, shownText } from './read-json.ts';
import { readStream } from './read-stream.ts';
import { SavedError } from './saved-error.ts';

export interface SavedAnswer {
  readonly bundle: Bundle;
  /** The text that the client was shown; absent for a bare bundle. */
  readonly answerText?: string;
  /** `logprobs.content` as it was shown, when it was. */
  readonly answerLogprobs?: readonly unknown[];
  readonly kind: 'response' | 'stream' | 'bundle';
}

/** An answer that broke off. */
export interface SavedPartial {
  readonly partial: PartialBundle;
  /** The text that the client was shown of it. */
  readonly answerText?: string;
  readonly answerLogprobs?: readonly unknown[];
  readonly kind: 'response' | 'stream' | 'bundle';
}

export type Saved = SavedAnswer | SavedPartial;

/**
 * Reads what a client saved: a response body, a stream (`data: ...` lines), a bundle, or a body of `GET /v1/receipts/:id` or `/v1/requests/:hash`.
 * An error body and a stream that died count as long as they carry what the node signed (`error.partial`).
 *
 * @throws SavedError when the file holds no whole receipt (its message says what is missing),
 * DecodeError when the bundle is malformed (its message names the field). Both mean: could not check.
 */
export function readSaved(text: string): Saved {
  if (text.length > limits.savedCharacters) {
    throw new SavedError(`expected at most ${limits.savedCharacters} characters, got ${text.length}`, { code: 'saved-size' });
  }
  const body = text.replace(/^\uFEFF/, '').trim();
  if (body === '') throw new SavedError('the file is empty; save the whole response body or the whole stream', { code: 'saved-format' });
  if (!body.startsWith('{')) return readStream(body);
  return readBody(readJson(body, 'file'));
}

function readBody(value: unknown): Saved {
  if (!isRecord(value)) throw new SavedError('expected a JSON object', { code: 'saved-format' });
  if (isRecord(value['error'])) {
    const { partial } = value['error'];
    if (partial !== undefined) return { partial: parsePartialBundle(partial, 'error.partial'), kind: 'response' };
    throw new SavedError(`this is an error response, no answer: ${quoteError(value['error'])}`, { code: 'saved-error-body' });
  }
  // a bundle has a receipt too: its own version tells it apart
  if (value['version'] === PARTIAL_VERSION) return { partial: parsePartialBundle(value), kind: 'bundle' };
  if (Object.hasOwn(value, 'version')) return { bundle: parseBundle(value), kind: 'bundle' };
  // a body that also shows an answer is read as an answer: its text must not go by unread
  const shows = Object.hasOwn(value, 'choices');
  if (isRecord(value['bundle']) && !shows) return { bundle: parseBundle(value['bundle'], 'bundle'), kind: 'bundle' };
  if (isRecord(value['partial']) && !shows) return { partial: parsePartialBundle(value['partial'], 'partial'), kind: 'bundle' };
  const receipt = value['receipt'];
  if (!isRecord(receipt)) {
    throw new SavedError('the file has no field `receipt`; save the whole response body of a Commonweight gateway', {
      code: 'saved-no-receipt',
    });
  }
  if (!Object.hasOwn(receipt, 'version')) {
    throw new SavedError(
      'the file holds the signed receipt alone, without the token ids that re-execution needs; save the response body, or ask the gateway for GET /v1/receipts/ID',
      { code: 'saved-no-receipt' },
    );
  }
  const bundle = parseBundle(receipt, 'receipt');
  if (!shows) return { bundle, kind: 'bundle' };
  const choice = theChoice(value['choices'], bundle.request.choice);
  const logprobs = shownLogprobs(choice, 'choices[0]');
  return { bundle, answerText: choice.text, ...(logprobs && { answerLogprobs: logprobs }), kind: 'response' };
}

/**
 * The text of the one choice that the receipt is for: `message.content`, or `text` of a plain completion. Clients show the first choice, whatever
 * its index, and either field: a body with more than one of them could show one text and be checked by another.
 */
function theChoice(choices: unknown, index: number): Readonly<Record<string, unknown>> & { readonly text: string } {
  const list: readonly unknown[] = Array.isArray(choices) ? choices : [];
  const [choice] = list;
  if (list.length === 1 && isRecord(choice) && (choice['index'] ?? index) === index) {
    const shown = shownText(choice, 'message');
    if (shown !== undefined) return { ...choice, text: shown };
  }
  throw new SavedError(`choices: expected the text of choice ${index} alone, in message.content; was the file edited?`, {
    code: 'saved-format',
  });
}
