import { DecodeError } from '@commonweight/protocol';
import type { BoundedParameter } from './genesis.ts';
import type { ParameterName } from './parameter-units.ts';

/** What keeps liars away must cost something, whatever a vote decides. */
const deterrents = ['challengeBond', 'faultPenalty', 'modelDeposit', 'slashFraction'] as const satisfies readonly ParameterName[];

/**
 * Refuses bounds within which votes could let faults go unpunished: a deterrent of zero, or a thaw that ends before an omission can be shown and answered for
 * (then stake would leave before it can be slashed).
 */
export function requireSoundBounds(parameters: readonly BoundedParameter[], path: string): void {
  const of = (name: ParameterName): BoundedParameter => {
    const found = parameters.find((parameter) => parameter.name === name);
    if (!found) throw new DecodeError(`${path}.${name}`, 'a parameter', undefined);
    return found;
  };
  for (const name of deterrents)
    if (of(name).minimum === 0n) throw new DecodeError(`${path}.${name}.minimum`, 'more than zero: it deters nobody otherwise', '0');
  const longest = of('postingWindow').maximum + of('answerWindow').maximum;
  const { minimum } = of('thawPeriod');
  if (minimum < longest)
    throw new DecodeError(
      `${path}.thawPeriod.minimum`,
      `at least ${longest} seconds, the most that postingWindow and answerWindow can be together`,
      String(minimum),
    );
}
