import { type ByteRange, type Grammar, terminalBytes } from '@commonweight/protocol';

/** What comes at one place of an alternative: a byte out of ranges, or a rule. */
export type Place = { readonly ranges: readonly ByteRange[] } | { readonly rule: number };

/** A grammar with its terminals as single bytes: `alternatives[rule]` are lists of places. */
export interface CompiledGrammar {
  readonly alternatives: readonly (readonly (readonly Place[])[])[];
}

export function compileGrammar({ rules }: Grammar): CompiledGrammar {
  return {
    alternatives: rules.map((alternatives) =>
      alternatives.map((alternative) =>
        alternative.flatMap((symbol): Place[] =>
          typeof symbol === 'number' ? [{ rule: symbol }] : terminalBytes(symbol).map((ranges) => ({ ranges })),
        ),
      ),
    ),
  };
}
