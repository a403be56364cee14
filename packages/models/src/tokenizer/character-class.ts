import { unicodeRanges } from './unicode-ranges.ts';

/**
 * The inside of a regular expression's character class, written out as literal characters: it means the same in JavaScript, Oniguruma and Rust,
 * and does not depend on the Unicode version of whoever runs it.
 */
export function characterClass(name: keyof typeof unicodeRanges): string {
  const character = (digits: string): string => String.fromCodePoint(Number.parseInt(digits, 36));
  return unicodeRanges[name]
    .split(' ')
    .map((range) => range.split('-').map(character))
    .map(([from, to]) => (to === undefined ? from! : `${from!}-${to}`))
    .join('');
}
