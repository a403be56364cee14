import { splitOnTexts } from '../tokenizer/split-on-texts.ts';

/**
 * Keeps control tokens of the template apart from the same letters in a message. Before rendering, every control token that is written in the
 * template's *source* is replaced by a mark that nobody can guess; after rendering only marks become control tokens. What a message contains is
 * never changed and never more than text, however the template cuts, trims or joins it.
 *
 * A template that puts a control token together from pieces ('<|' + role + '|>') yields plain text for it: such models are not supported.
 */
export interface ControlMarks {
  readonly template: string;
  /** What stands for a token until the text is cut; nothing for none. */
  readonly mark: (id: number | undefined) => string;
  /** Cuts rendered text into control token ids and plain text. */
  readonly split: (rendered: string) => (string | number)[];
}

/** @param nonce - letters and digits that cannot be guessed, new for each process. */
export function markControlTokens(template: string, special: ReadonlyMap<string, number>, nonce: string): ControlMarks {
  const mark = (id: number | undefined): string => (id === undefined ? '' : `\uE000${nonce}:${id}\uE001`);
  const marks = new Map([...special.values()].map((id) => [mark(id), id]));
  const marked = splitOnTexts(template, special)
    .map((piece) => (typeof piece === 'number' ? mark(piece) : piece))
    .join('');
  return { template: marked, mark, split: (rendered) => splitOnTexts(rendered, marks) };
}
