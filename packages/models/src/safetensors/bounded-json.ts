import { limits } from '../limits.ts';
import { quote, SafetensorsError } from './safetensors-error.ts';

/** Objects are maps: no key of a file can touch a prototype, and order is the file's. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export type JsonObject = ReadonlyMap<string, Json>;

const number = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const plain = /[^"\\\p{Cc}]*/uy;
/** One for all empty objects: a hostile file may hold many. */
const nothing: JsonObject = new Map();
const loneSurrogate = /[\ud800-\udfff]/u;

/**
 * Strict JSON (RFC 8259) in UTF-8 with what JSON.parse lacks: repeated keys are refused, and depth and number of values are bounded.
 * Whoever calls has bounded the bytes. Time and memory are linear in them. `field` names the text in errors.
 */
export function parseBoundedJson(bytes: Uint8Array, field: string, maximumValues: number = limits.jsonValues): Json {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new SafetensorsError('safetensors_json', field, undefined, 'JSON in UTF-8', `${bytes.length} bytes that are not UTF-8`);
  }
  return new Parser(text, field, maximumValues).whole();
}

class Parser {
  readonly #text: string;
  readonly #field: string;
  readonly #maximumValues: number;
  #at = 0;
  #values = 0;

  constructor(text: string, field: string, maximumValues: number) {
    this.#text = text;
    this.#field = field;
    this.#maximumValues = maximumValues;
  }

  whole(): Json {
    const value = this.#value(0);
    this.#space();
    if (this.#at < this.#text.length) this.#fail('nothing after the value');
    return value;
  }

  #fail(expected: string): never {
    const got = this.#at < this.#text.length ? quote(this.#text.slice(this.#at, this.#at + 8)) : 'the end';
    throw new SafetensorsError('safetensors_json', this.#field, this.#at, expected, got);
  }

  #space(): void {
    for (;;) {
      const code = this.#text.charCodeAt(this.#at);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
      this.#at++;
    }
  }

  /** Moves past `character` when it is next, after space. */
  #next(character: string): boolean {
    this.#space();
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  #value(depth: number): Json {
    if (depth > limits.jsonDepth) {
      throw new SafetensorsError('safetensors_limit', this.#field, this.#at, `at most ${limits.jsonDepth} levels`, 'more');
    }
    if (++this.#values > this.#maximumValues) {
      throw new SafetensorsError('safetensors_limit', this.#field, this.#at, `at most ${this.#maximumValues} values`, 'more');
    }
    this.#space();
    switch (this.#text[this.#at] ?? '') {
      case '{':
        return this.#object(depth);
      case '[':
        return this.#array(depth);
      case '"':
        return this.#string();
      case 't':
        return this.#word('true', true);
      case 'f':
        return this.#word('false', false);
      case 'n':
        return this.#word('null', null);
      default:
        return this.#number();
    }
  }

  #object(depth: number): JsonObject {
    this.#at++;
    if (this.#next('}')) return nothing;
    const entries = new Map<string, Json>();
    do {
      this.#space();
      const at = this.#at;
      if (this.#text[at] !== '"') this.#fail('a key in double quotes');
      const key = this.#string();
      if (entries.has(key)) {
        throw new SafetensorsError('safetensors_duplicate', this.#field, at, 'each key once', `a second ${quote(key)}`);
      }
      if (!this.#next(':')) this.#fail('a colon');
      entries.set(key, this.#value(depth + 1));
    } while (this.#next(','));
    if (!this.#next('}')) this.#fail('a comma or }');
    return entries;
  }

  #array(depth: number): readonly Json[] {
    const items: Json[] = [];
    this.#at++;
    if (this.#next(']')) return items;
    do items.push(this.#value(depth + 1));
    while (this.#next(','));
    if (!this.#next(']')) this.#fail('a comma or ]');
    return items;
  }

  #string(): string {
    const start = this.#at++;
    let isPlain = true;
    for (;;) {
      plain.lastIndex = this.#at;
      this.#at += plain.exec(this.#text)?.[0].length ?? 0;
      const next = this.#text[this.#at];
      if (next === '"') break;
      if (next === '\\') {
        isPlain = false;
        this.#at += 2;
      } else if (next !== undefined && next >= ' ') {
        // A control character above U+007E, which JSON allows.
        this.#at++;
      } else this.#fail('the rest of a string');
    }
    this.#at++;
    if (isPlain) return this.#text.slice(start + 1, this.#at - 1);
    let text: string;
    try {
      text = JSON.parse(this.#text.slice(start, this.#at)) as string;
    } catch {
      this.#at = start;
      return this.#fail('a string with valid escapes');
    }
    if (loneSurrogate.test(text)) {
      this.#at = start;
      this.#fail('a string without half a surrogate pair');
    }
    return text;
  }

  #word<T extends Json>(word: string, value: T): T {
    if (!this.#text.startsWith(word, this.#at)) this.#fail('a value');
    this.#at += word.length;
    return value;
  }

  #number(): number {
    number.lastIndex = this.#at;
    const text = number.exec(this.#text)?.[0] ?? this.#fail('a value');
    const value = Number(text);
    if (!Number.isFinite(value)) this.#fail('a number that is finite in float64');
    this.#at += text.length;
    return value;
  }
}
