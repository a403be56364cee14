const escape = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');

/** Cuts `text` at every occurrence of one of `texts`, which becomes its number; where two begin together, the longer one wins. */
export function splitOnTexts(text: string, texts: ReadonlyMap<string, number>): (string | number)[] {
  if (text === '') return [];
  if (texts.size === 0) return [text];
  const longestFirst = [...texts.keys()].sort((a, b) => b.length - a.length);
  const pattern = new RegExp(`(${longestFirst.map(escape).join('|')})`, 'g');
  return text
    .split(pattern)
    .filter((piece) => piece !== '')
    .map((piece) => texts.get(piece) ?? piece);
}
