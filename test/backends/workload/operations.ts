import type { Scale } from '@commonweight/engine/testing/operations';

export interface MatrixCase {
  readonly rows: number;
  readonly columns: number;
  readonly exponent: number;
  /** Row-major, -127 to 127. */
  readonly weights: Int8Array;
  /** 0 to 15, row-major, one for 64 columns. */
  readonly blockMultipliers: Uint8Array;
  /** 0 to 2^22, one a row. */
  readonly multipliers: Int32Array;
}

export interface MatmulCase {
  readonly matrix: MatrixCase;
  readonly vectors: readonly Int16Array[];
  readonly scales: readonly Scale[];
  readonly fractionBits: number;
}

export interface AttendCase {
  readonly q: Int32Array;
  readonly table: Int16Array;
  /** One (key before RoPE, value) a position. */
  readonly entries: readonly { readonly key: Int32Array; readonly value: Int32Array }[];
  readonly constant: Scale;
}

export interface Quantised {
  readonly q: Int16Array;
  readonly scale: Scale;
}

/** The operations of the SPEC as one back end computes them. A back end that can run them alone implements this. */
export interface Operations {
  readonly exp2n: (d: number, fractionBits: number) => number;
  readonly isqrt: (n: bigint) => bigint;
  readonly sdiv: (scale: Scale, denominator: bigint) => Scale;
  readonly quantise: (values: BigInt64Array, bits: number) => Quantised;
  readonly rmsNorm: (x: Int32Array, weights: Int32Array, exponent: number, epsilon: number, bits: number) => Quantised;
  /** One Int32Array a vector: the sums times row and token scales. */
  readonly matmul: (input: MatmulCase) => Int32Array[];
  readonly embed: (matrix: MatrixCase, id: number) => Int32Array;
  readonly qkNorm: (head: Int32Array, weights: Int32Array, exponent: number, epsilon: number) => Int32Array;
  readonly rope: (head: Int32Array, table: Int16Array) => Int32Array;
  readonly attend: (input: AttendCase) => BigInt64Array;
  readonly swiglu: (gate: Int32Array, up: Int32Array) => BigInt64Array;
  readonly residualAdd: (x: Int32Array, y: Int32Array) => Int32Array;
}
