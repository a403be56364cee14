import { limits } from '../limits.ts';
import type { Cursor } from './cursor.ts';
import { GgufError } from './gguf-error.ts';

/** 64-bit integers outside the safe range stay bigints. */
export type GgufValue = number | bigint | boolean | string | readonly GgufValue[];

const STRING = 8;
const ARRAY = 9;

interface Scalar {
  readonly bytes: number;
  readonly read: (cursor: Cursor, field: string) => GgufValue;
}

const small = (value: bigint): number | bigint => (Number.isSafeInteger(Number(value)) ? Number(value) : value);

/** Value types by their number in the file, with the fewest bytes that one takes. */
const scalars = new Map<number, Scalar>([
  [0, { bytes: 1, read: (cursor, field) => cursor.u8(field) }],
  [1, { bytes: 1, read: (cursor, field) => cursor.i8(field) }],
  [2, { bytes: 2, read: (cursor, field) => cursor.u16(field) }],
  [3, { bytes: 2, read: (cursor, field) => cursor.i16(field) }],
  [4, { bytes: 4, read: (cursor, field) => cursor.u32(field) }],
  [5, { bytes: 4, read: (cursor, field) => cursor.i32(field) }],
  [6, { bytes: 4, read: (cursor, field) => cursor.f32(field) }],
  [7, { bytes: 1, read: (cursor, field) => parseBoolean(cursor, field) }],
  [STRING, { bytes: 8, read: (cursor, field) => cursor.string(field, limits.ggufStringBytes) }],
  [10, { bytes: 8, read: (cursor, field) => small(cursor.u64(field)) }],
  [11, { bytes: 8, read: (cursor, field) => small(cursor.i64(field)) }],
  [12, { bytes: 8, read: (cursor, field) => cursor.f64(field) }],
]);

function parseBoolean(cursor: Cursor, field: string): boolean {
  const offset = cursor.offset;
  const value = cursor.u8(field);
  if (value > 1) throw new GgufError('gguf_metadata', field, offset, '0 or 1', String(value));
  return value === 1;
}

/** Reads a type number and its value. Arrays of arrays are refused: no known key uses them. */
export function parseValue(cursor: Cursor, field: string, budget: { elements: number }): GgufValue {
  const offset = cursor.offset;
  const type = cursor.u32(`${field} (type)`);
  if (type !== ARRAY) return scalarOf(type, field, offset).read(cursor, field);

  const elementAt = cursor.offset;
  const scalar = scalarOf(cursor.u32(`${field} (element type)`), `${field} (element type)`, elementAt);
  const countAt = cursor.offset;
  const count = cursor.count(`${field} (count)`, scalar.bytes, limits.ggufArrayLength);
  budget.elements -= count;
  if (budget.elements < 0) {
    throw new GgufError(
      'gguf_limit',
      `${field} (count)`,
      countAt,
      `at most ${limits.ggufArrayElements} elements in all arrays`,
      `${count} more`,
    );
  }
  const values: GgufValue[] = [];
  for (let i = 0; i < count; i++) values.push(scalar.read(cursor, field));
  return values;
}

function scalarOf(type: number, field: string, offset: number): Scalar {
  const scalar = scalars.get(type);
  if (!scalar) throw new GgufError('gguf_value_type', field, offset, 'a value type from 0 to 12', String(type));
  return scalar;
}
