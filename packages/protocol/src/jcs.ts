import { CommonweightError } from './errors.ts';
import { limits } from './limits.ts';

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

const fail = (path: string, expected: string): never => {
  throw new CommonweightError(`${path || 'value'}: expected ${expected}`, { code: 'jcs', field: path });
};

/**
 * Canonical JSON: RFC 8785 restricted to what we sign. Numbers are safe integers (no fraction, no exponent, no -0),
 * strings are well-formed UTF-16, keys are sorted by UTF-16 code units, `undefined` is refused.
 */
export function canonicalize(value: unknown): string {
  let nodes = 0;
  const write = (item: unknown, path: string, depth: number): string => {
    if (++nodes > limits.jsonNodes) return fail(path, `at most ${limits.jsonNodes} values`);
    if (depth > limits.jsonDepth) return fail(path, `at most ${limits.jsonDepth} levels`);
    if (item === null || typeof item === 'boolean') return String(item);
    if (typeof item === 'number') {
      return Number.isSafeInteger(item) && !Object.is(item, -0) ? String(item) : fail(path, 'a safe integer');
    }
    if (typeof item === 'string') return isWellFormed(item) ? JSON.stringify(item) : fail(path, 'well-formed Unicode');
    if (Array.isArray(item)) return `[${item.map((entry, i) => write(entry, `${path}[${i}]`, depth + 1)).join(',')}]`;
    if (typeof item !== 'object') return fail(path, 'a JSON value');
    const record = item as Record<string, unknown>;
    const keys = Object.keys(record).sort();
    return `{${keys.map((key) => (isWellFormed(key) ? `${JSON.stringify(key)}:${write(record[key], path ? `${path}.${key}` : key, depth + 1)}` : fail(path, 'well-formed keys'))).join(',')}}`;
  };
  return write(value, '', 0);
}

function isWellFormed(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0xd800 || unit > 0xdfff) continue;
    const next = text.charCodeAt(i + 1);
    if (unit > 0xdbff || !(next >= 0xdc00 && next <= 0xdfff)) return false;
    i++;
  }
  return true;
}
