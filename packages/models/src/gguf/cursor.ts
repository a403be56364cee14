import { limits } from '../limits.ts';
import type { ByteSource } from './byte-source.ts';
import { GgufError } from './gguf-error.ts';

/** Reads the header front to back through a small window. Whoever asks for n bytes learns first whether n bytes exist. */
export class Cursor {
  readonly #source: ByteSource;
  readonly #end: number;
  readonly #text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  #at = 0;
  #start = 0;
  #windowAt = 0;
  #window = new Uint8Array(0);
  #view = new DataView(this.#window.buffer);

  constructor(source: ByteSource) {
    this.#source = source;
    this.#end = Math.min(source.size, limits.ggufHeaderBytes);
  }

  get offset(): number {
    return this.#at;
  }

  get remaining(): number {
    return this.#end - this.#at;
  }

  u8 = (field: string): number => this.#load(field, 1).getUint8(this.#start);
  i8 = (field: string): number => this.#load(field, 1).getInt8(this.#start);
  u16 = (field: string): number => this.#load(field, 2).getUint16(this.#start, true);
  i16 = (field: string): number => this.#load(field, 2).getInt16(this.#start, true);
  u32 = (field: string): number => this.#load(field, 4).getUint32(this.#start, true);
  i32 = (field: string): number => this.#load(field, 4).getInt32(this.#start, true);
  f32 = (field: string): number => this.#load(field, 4).getFloat32(this.#start, true);
  f64 = (field: string): number => this.#load(field, 8).getFloat64(this.#start, true);
  u64 = (field: string): bigint => this.#load(field, 8).getBigUint64(this.#start, true);
  i64 = (field: string): bigint => this.#load(field, 8).getBigInt64(this.#start, true);

  /** A count of things that take at least `minimumBytes` each in the rest of the file. */
  count(field: string, minimumBytes: number, maximum: number): number {
    const offset = this.#at;
    const value = this.u64(field);
    const room = Math.floor(this.remaining / minimumBytes);
    if (value > BigInt(room)) {
      throw new GgufError('gguf_truncated', field, offset, `at most ${room}, for ${this.remaining} bytes are left`, String(value));
    }
    if (value > BigInt(maximum)) throw new GgufError('gguf_limit', field, offset, `at most ${maximum}`, String(value));
    return Number(value);
  }

  string(field: string, maximumBytes: number): string {
    const offset = this.#at;
    const length = this.count(`${field} (length)`, 1, maximumBytes);
    const bytes = this.#bytes(field, length);
    try {
      return this.#text.decode(bytes);
    } catch {
      throw new GgufError('gguf_string', field, offset, 'UTF-8 text', `${length} bytes that are not`);
    }
  }

  /** A copy of `length` bytes, which must exist. */
  #bytes(field: string, length: number): Uint8Array {
    this.#need(field, length);
    if (length <= limits.ggufWindowBytes) {
      this.#load(field, length);
      return this.#window.slice(this.#start, this.#start + length);
    }
    const bytes = new Uint8Array(length);
    this.#source.read(this.#at, bytes);
    this.#at += length;
    return bytes;
  }

  #need(field: string, length: number): void {
    if (length > this.remaining) {
      throw new GgufError('gguf_truncated', field, this.#at, `${length} bytes`, `${this.remaining} before the end of the header or file`);
    }
  }

  /** Moves past `length` bytes; they are in the window from `#start` on. */
  #load(field: string, length: number): DataView {
    this.#need(field, length);
    if (this.#at < this.#windowAt || this.#at + length > this.#windowAt + this.#window.length) {
      this.#window = new Uint8Array(Math.min(limits.ggufWindowBytes, this.remaining));
      this.#source.read(this.#at, this.#window);
      this.#windowAt = this.#at;
      this.#view = new DataView(this.#window.buffer);
    }
    this.#start = this.#at - this.#windowAt;
    this.#at += length;
    return this.#view;
  }
}
