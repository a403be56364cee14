import { type Address, type Hex, type Hex32, isAddress, isHex32 } from './bytes.ts';
import { DecodeError } from './errors.ts';

/** Bounded reading of untrusted JSON: exact key set, types and ranges, errors that name the field. */
export class Fields {
  readonly path: string;
  readonly #record: Readonly<Record<string, unknown>>;

  /** @param keys - the allowed keys; a trailing `?` marks an optional one. */
  constructor(value: unknown, path: string, keys: readonly string[]) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new DecodeError(path || 'value', 'an object', value);
    this.path = path;
    this.#record = value as Record<string, unknown>;
    const allowed = new Set(keys.map((key) => key.replace('?', '')));
    for (const key of Object.keys(value)) {
      if (!allowed.has(key)) throw new DecodeError(this.name(key), `only the fields ${[...allowed].join(', ')}`, 'an unknown field');
    }
    for (const key of keys) {
      if (!key.endsWith('?') && !Object.hasOwn(value, key)) throw new DecodeError(this.name(key), 'a value', undefined);
    }
  }

  name(key: string): string {
    return this.path ? `${this.path}.${key}` : key;
  }

  has(key: string): boolean {
    return Object.hasOwn(this.#record, key);
  }

  raw(key: string): unknown {
    return this.#record[key];
  }

  integer(key: string, minimum: number, maximum: number): number {
    const value = this.#record[key];
    if (!isInteger(value, minimum, maximum)) {
      throw new DecodeError(this.name(key), `an integer from ${minimum} to ${maximum}`, value);
    }
    return value;
  }

  boolean(key: string): boolean {
    const value = this.#record[key];
    if (typeof value !== 'boolean') throw new DecodeError(this.name(key), 'true or false', value);
    return value;
  }

  string(key: string, maximumLength: number, pattern?: RegExp): string {
    const value = this.#record[key];
    if (typeof value !== 'string' || value.length > maximumLength || (pattern && !pattern.test(value))) {
      throw new DecodeError(
        this.name(key),
        `a string of at most ${maximumLength} characters${pattern ? ` matching ${pattern}` : ''}`,
        value,
      );
    }
    return value;
  }

  literal<const T extends string>(key: string, allowed: readonly T[]): T {
    const value = this.#record[key];
    if (!allowed.includes(value as T)) throw new DecodeError(this.name(key), allowed.join(' or '), value);
    return value as T;
  }

  hex32(key: string): Hex32 {
    const value = this.#record[key];
    if (!isHex32(value)) throw new DecodeError(this.name(key), '0x and 64 lower-case hexadecimal digits', value);
    return value;
  }

  address(key: string): Address {
    const value = this.#record[key];
    if (!isAddress(value)) throw new DecodeError(this.name(key), '0x and 40 lower-case hexadecimal digits', value);
    return value;
  }

  /** Exactly `bytes` bytes as lower-case hex. */
  hex(key: string, bytes: number): Hex {
    return this.string(key, 2 + 2 * bytes, new RegExp(`^0x[0-9a-f]{${2 * bytes}}$`)) as Hex;
  }

  /** A decimal string without sign or leading zero, below 2^256. */
  uint(key: string, maximum: bigint = (1n << 256n) - 1n): bigint {
    const text = this.string(key, 78, /^(?:0|[1-9][0-9]*)$/);
    const value = BigInt(text);
    if (value > maximum) throw new DecodeError(this.name(key), `at most ${maximum}`, text);
    return value;
  }

  array(key: string, maximumLength: number): readonly unknown[] {
    const value = this.#record[key];
    if (!Array.isArray(value) || value.length > maximumLength)
      throw new DecodeError(this.name(key), `an array of at most ${maximumLength}`, value);
    return value;
  }

  integers(key: string, maximumLength: number, minimum: number, maximum: number): number[] {
    const list = this.array(key, maximumLength);
    for (const [i, value] of list.entries()) {
      if (!isInteger(value, minimum, maximum)) {
        throw new DecodeError(`${this.name(key)}[${i}]`, `an integer from ${minimum} to ${maximum}`, value);
      }
    }
    return [...(list as number[])];
  }
}

/** JSON's -0 is a number that canonical JSON has no spelling for. */
const isInteger = (value: unknown, minimum: number, maximum: number): value is number =>
  Number.isSafeInteger(value) && !Object.is(value, -0) && (value as number) >= minimum && (value as number) <= maximum;
