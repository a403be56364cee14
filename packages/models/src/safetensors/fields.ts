import { type Json, type JsonObject, parseBoundedJson } from './bounded-json.ts';
import { quote, SafetensorsError } from './safetensors-error.ts';
import type { SmallFile } from './read-small-file.ts';

/** Typed reading of one JSON object with errors that name the file and the key. */
export class JsonFields {
  readonly #values: JsonObject;
  readonly #where: string;

  constructor(value: Json | undefined, where: string) {
    this.#where = where;
    this.#values = value instanceof Map ? (value as JsonObject) : this.refuse('', 'an object', value);
  }

  static ofFile({ name, bytes }: SmallFile, maximumValues?: number): JsonFields {
    return new JsonFields(parseBoundedJson(bytes, name, maximumValues), name);
  }

  refuse(key: string, expected: string, got: Json | undefined): never {
    throw new SafetensorsError('safetensors_config', `${this.#where}${key && ` ${key}`}`, undefined, expected, describe(got));
  }

  /** The value; undefined also for null. */
  raw(key: string): Json | undefined {
    return this.#values.get(key) ?? undefined;
  }

  string(key: string, fallback?: string): string {
    const value = this.raw(key) ?? fallback;
    return typeof value === 'string' ? value : this.refuse(key, 'a text', value);
  }

  boolean(key: string, fallback: boolean): boolean {
    const value = this.raw(key) ?? fallback;
    return typeof value === 'boolean' ? value : this.refuse(key, 'true or false', value);
  }

  number(key: string, minimum: number, maximum: number, fallback?: number): number {
    const value = this.raw(key) ?? fallback;
    const valid = typeof value === 'number' && value >= minimum && value <= maximum;
    return valid ? value : this.refuse(key, `a number from ${minimum} to ${maximum}`, value);
  }

  integer(key: string, minimum: number, maximum: number, fallback?: number): number {
    const value = this.number(key, minimum, maximum, fallback);
    return Number.isSafeInteger(value) ? value : this.refuse(key, 'an integer', value);
  }

  array(key: string): readonly Json[] {
    const value = this.raw(key) ?? [];
    return Array.isArray(value) ? (value as readonly Json[]) : this.refuse(key, 'an array', value);
  }

  /** An object, or undefined. */
  object(key: string): JsonFields | undefined {
    const value = this.raw(key);
    return value === undefined ? undefined : new JsonFields(value, `${this.#where} ${key}`);
  }

  entries(): Iterable<readonly [string, Json]> {
    return this.#values;
  }

  /** Refuses the object unless `key` is absent, null or one of `allowed`. */
  only(key: string, ...allowed: readonly (string | number | boolean)[]): void {
    const value = this.raw(key);
    if (value !== undefined && !(allowed as readonly Json[]).includes(value)) {
      this.refuse(key, ['nothing', ...allowed.map(String)].join(' or '), value);
    }
  }
}

function describe(value: Json | undefined): string {
  if (value === undefined || value === null) return 'nothing';
  if (typeof value !== 'object') return quote(String(value));
  return value instanceof Map ? `an object of ${value.size}` : `an array of ${(value as readonly Json[]).length}`;
}
