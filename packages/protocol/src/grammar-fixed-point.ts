import type { Alternative } from './grammar.ts';

/**
 * Which rules have an alternative of such rules and, where `terminals` says so, terminals. Linear in the grammar: every alternative counts the
 * symbols that are still missing, and is touched once for each of them.
 */
export function fixedPoint(rules: readonly (readonly Alternative[])[], terminals: boolean): boolean[] {
  const known = rules.map(() => false);
  /** By rule: where it stands, once for every time. */
  const occurrences: Missing[][] = rules.map(() => []);
  const open: number[] = [];
  for (const [rule, alternatives] of rules.entries()) {
    for (const alternative of alternatives) {
      const missing = { rule, count: 0 };
      for (const symbol of alternative) {
        if (typeof symbol === 'string' && terminals) continue;
        missing.count++;
        if (typeof symbol === 'number') occurrences[symbol]!.push(missing);
      }
      if (missing.count === 0) open.push(rule);
    }
  }
  for (let r = open.pop(); r !== undefined; r = open.pop()) {
    if (known[r]) continue;
    known[r] = true;
    for (const missing of occurrences[r]!) if (--missing.count === 0) open.push(missing.rule);
  }
  return known;
}

/** Symbols of one alternative that are not known to hold. */
interface Missing {
  readonly rule: number;
  count: number;
}
