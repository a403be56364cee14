import type { z } from 'zod';
import { type ApiError, invalid } from '../api-error.ts';

type Issue = z.core.$ZodIssue;

/** Parses a request body; the first fault leaves as a 400 that names its field. */
export function parseBody<T extends z.ZodType>(schema: T, body: unknown): z.output<T> {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  throw toApiError(parsed.error.issues);
}

function toApiError(issues: readonly Issue[]): ApiError {
  const { path, issue } = deepest({ path: [], issue: issues[0]! });
  if (issue.code === 'unrecognized_keys') {
    const name = nameOf([...path, ...issue.path, issue.keys[0]!]);
    return invalid(name, `${name}: unknown or unsupported field; remove it`, 'unsupported_parameter');
  }
  const name = nameOf([...path, ...issue.path]);
  const missing = issue.code === 'invalid_type' && issue.message.endsWith('received undefined');
  if (missing) return invalid(name || undefined, `${name || 'body'}: missing, expected ${issue.expected}`, 'missing_required_parameter');
  return invalid(name || undefined, `${name || 'body'}: ${issue.message}`);
}

interface Located {
  readonly path: readonly PropertyKey[];
  readonly issue: Issue;
}

/** A union fails with one list of issues per option; the option that got furthest into the value says most. */
function deepest({ path, issue }: Located): Located {
  if (issue.code !== 'invalid_union') return { path, issue };
  const at = [...path, ...issue.path];
  const options = issue.errors.flatMap((option) => (option[0] ? [deepest({ path: at, issue: option[0] })] : []));
  const depth = (found: Located): number => found.path.length + found.issue.path.length + (found.issue.code === 'invalid_type' ? 0 : 1);
  return (
    options.reduce<Located | undefined>((best, next) => (best && depth(best) >= depth(next) ? best : next), undefined) ?? { path, issue }
  );
}

/** `messages[0].content`. */
const nameOf = (path: readonly PropertyKey[]): string =>
  path.map((key, i) => (typeof key === 'number' ? `[${key}]` : `${i > 0 ? '.' : ''}${String(key)}`)).join('');
