/** Of an even number of values the lower middle one. */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new Error('expected one or more values, got none');
  return values.toSorted((a, b) => a - b)[(values.length - 1) >> 1]!;
}

/** Median of the ratios within the rounds: what disturbs one round disturbs both sides of its ratio. */
export const medianRatio = (numerators: readonly number[], denominators: readonly number[]): number =>
  median(numerators.map((value, i) => value / denominators[i]!));
