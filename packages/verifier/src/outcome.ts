import type { StepStatus } from './report.ts';

export interface Outcome {
  readonly status: StepStatus;
  readonly detail: string;
  /** Instead of the step's title, where the step says less than it usually does. */
  readonly title?: string;
  /** What a step that passed leaves open; goes to `notChecked`. */
  readonly open?: string;
}

export const passed = (detail: string): Outcome => ({ status: 'passed', detail });
export const failed = (detail: string): Outcome => ({ status: 'failed', detail });
export const skipped = (detail: string): Outcome => ({ status: 'skipped', detail });

/** Compares named values; the first that differs is the outcome. */
export function same(pairs: readonly (readonly [name: string, got: unknown, expected: unknown])[], detail: string): Outcome {
  for (const [name, got, expected] of pairs) {
    if (got !== expected) return failed(`${name}: expected ${String(expected)}, the receipt says ${String(got)}`);
  }
  return passed(detail);
}
