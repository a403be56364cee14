/** Storage types that the converter reads, by their number in the file (ggml.h, enum ggml_type). */
export const tensorTypes = {
  F32: { id: 0, block: 1, bytes: 4 },
  F16: { id: 1, block: 1, bytes: 2 },
  Q4_0: { id: 2, block: 32, bytes: 18 },
  Q4_1: { id: 3, block: 32, bytes: 20 },
  Q8_0: { id: 8, block: 32, bytes: 34 },
  BF16: { id: 30, block: 1, bytes: 2 },
} as const;

export type TensorType = keyof typeof tensorTypes;

const byId = new Map<number, TensorType>(Object.entries(tensorTypes).map(([name, { id }]) => [id, name as TensorType]));

export const tensorTypeOf = (id: number): TensorType | undefined => byId.get(id);
