import { fromBase64, toBase64 } from '@commonweight/protocol';

export interface Mutation {
  /** Such as `receipt.sequence` or `promptIds.3`. */
  readonly path: string;
  readonly value: unknown;
}

/** Every leaf of a JSON value changed to a nearby value of the same kind (null to an empty object), one at a time, and every array one shorter. */
export function mutations(json: unknown): Mutation[] {
  const found: Mutation[] = [];
  const visit = (value: unknown, path: string, replace: (next: unknown) => unknown): void => {
    if (Array.isArray(value)) {
      for (const [i, item] of value.entries()) visit(item, `${path}.${i}`, (next) => replace(value.with(i, next)));
      if (value.length > 0) found.push({ path: `${path}.length`, value: replace(value.slice(0, -1)) });
    } else if (typeof value === 'object' && value !== null) {
      for (const [key, item] of Object.entries(value)) {
        visit(item, path === '' ? key : `${path}.${key}`, (next) => replace({ ...value, [key]: next }));
      }
    } else {
      found.push({ path, value: replace(changed(value, path)) });
    }
  };
  visit(json, '', (next) => next);
  return found;
}

function changed(value: unknown, path: string): unknown {
  if (value === null) return {};
  if (typeof value === 'number') return value === 0 ? 1 : value - 1;
  if (typeof value === 'boolean') return !value;
  if (typeof value !== 'string') throw new Error(`${path}: no mutation for ${typeof value}`);
  if (value.startsWith('0x')) return `${value.slice(0, 10)}${value[10] === '0' ? '1' : '0'}${value.slice(11)}`;
  if (/^[0-9]+$/.test(value)) return String(BigInt(value) + 1n);
  if (path === 'digests') {
    const bytes = fromBase64(value);
    bytes[40]! ^= 1;
    return toBase64(bytes);
  }
  if (path.endsWith('finishReason')) return value === 'length' ? 'stop_id' : 'length';
  if (path.endsWith('reason')) return value === 'cancelled' ? 'stop_string' : 'cancelled';
  return `${value}0`;
}
