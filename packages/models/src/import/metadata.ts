import { CommonweightError } from '@commonweight/protocol';
import type { GgufValue } from '../gguf/parse-value.ts';

/** Typed reading of GGUF metadata with errors that name the key. */
export class Metadata {
  readonly #values: ReadonlyMap<string, GgufValue>;

  constructor(values: ReadonlyMap<string, GgufValue>) {
    this.#values = values;
  }

  refuse(key: string, expected: string, got: unknown): never {
    const text = Array.isArray(got) ? `an array of ${got.length}` : String(got).slice(0, 80);
    throw new CommonweightError(`GGUF ${key}: expected ${expected}, got ${text}`, {
      code: 'gguf_metadata',
      field: key,
      details: { expected },
    });
  }

  has(key: string): boolean {
    return this.#values.has(key);
  }

  string(key: string, fallback?: string): string {
    const value = this.#values.get(key) ?? fallback;
    return typeof value === 'string' ? value : this.refuse(key, 'a string', value ?? 'nothing');
  }

  boolean(key: string, fallback: boolean): boolean {
    const value = this.#values.get(key) ?? fallback;
    return typeof value === 'boolean' ? value : this.refuse(key, 'true or false', value);
  }

  number(key: string, minimum: number, maximum: number, fallback?: number): number {
    const value = this.#values.get(key) ?? fallback;
    const valid = typeof value === 'number' && value >= minimum && value <= maximum;
    return valid ? value : this.refuse(key, `a number from ${minimum} to ${maximum}`, value ?? 'nothing');
  }

  integer(key: string, minimum: number, maximum: number, fallback?: number): number {
    const value = this.number(key, minimum, maximum, fallback);
    return Number.isSafeInteger(value) ? value : this.refuse(key, 'an integer', value);
  }

  strings(key: string): readonly string[] {
    const value = this.#values.get(key);
    const valid = Array.isArray(value) && value.every((item) => typeof item === 'string');
    return valid ? (value as readonly string[]) : this.refuse(key, 'an array of strings', value ?? 'nothing');
  }

  numbers(key: string): readonly number[] {
    const value = this.#values.get(key);
    const valid = Array.isArray(value) && value.every((item) => typeof item === 'number' && Number.isFinite(item));
    return valid ? (value as readonly number[]) : this.refuse(key, 'an array of numbers', value ?? 'nothing');
  }

  integers(key: string): readonly number[] {
    const value = this.#values.get(key);
    const valid = Array.isArray(value) && value.every((item) => Number.isSafeInteger(item));
    return valid ? (value as readonly number[]) : this.refuse(key, 'an array of integers', value ?? 'nothing');
  }
}
