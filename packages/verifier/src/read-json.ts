import { limits as protocolLimits } from '@commonweight/protocol';
import { limits } from './limits.ts';
import { SavedError } from './saved-error.ts';

/** Parses untrusted JSON of bounded nesting; `where` names the part in the error. */
export function readJson(text: string, where: string): unknown {
  checkDepth(text, where);
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new SavedError(`${where}: expected JSON, got ${JSON.stringify(text.slice(0, 60))}; was the file cut or edited?`, {
      code: 'saved-format',
      cause,
    });
  }
}

/** Counts brackets outside strings, before anything is allocated. */
function checkDepth(text: string, where: string): void {
  let depth = 0;
  let inString = false;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (inString) {
      if (unit === 0x5c) i++;
      else if (unit === 0x22) inString = false;
    } else if (unit === 0x22) inString = true;
    else if (unit === 0x7b || unit === 0x5b) {
      if (++depth > limits.savedDepth)
        throw new SavedError(`${where}: expected at most ${limits.savedDepth} levels of JSON, got more`, { code: 'saved-size' });
    } else if (unit === 0x7d || unit === 0x5d) depth--;
  }
}

export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The message of an OpenAI-shaped error. */
export function quoteError(error: Readonly<Record<string, unknown>>): string {
  const { message } = error;
  return (typeof message === 'string' ? message : JSON.stringify(error)).slice(0, limits.quote);
}

/** What a choice shows: `text` of a plain completion, or `content` of its message or delta; undefined for none, or for both (which of them was read?). */
export function shownText(choice: Readonly<Record<string, unknown>>, container: 'message' | 'delta'): string | undefined {
  const { text, [container]: part } = choice;
  const content = isRecord(part) ? part['content'] : undefined;
  if (typeof text === 'string') return typeof content === 'string' ? undefined : text;
  return typeof content === 'string' ? content : undefined;
}

/** `logprobs.content` of a choice; undefined for null and for none. */
export function shownLogprobs(choice: Readonly<Record<string, unknown>>, where: string): readonly unknown[] | undefined {
  const logprobs = choice['logprobs'];
  if (logprobs === undefined || logprobs === null) return undefined;
  const content = isRecord(logprobs) ? logprobs['content'] : undefined;
  if (Array.isArray(content) && content.length <= protocolLimits.positions) return content as readonly unknown[];
  throw new SavedError(`${where}: expected an array in logprobs.content; was the file edited?`, { code: 'saved-format' });
}
