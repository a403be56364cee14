import type { PieceList } from '../import/sentencepiece-json.ts';
import { SPACE_MARK } from '../tokenizer/sentencepiece.ts';
import type { Json } from './bounded-json.ts';
import { JsonFields } from './fields.ts';
import { mergesOf } from './hf-token-list.ts';

/**
 * What a SentencePiece vocabulary has become in tokenizer.json: merges sorted by the score of what they make, of which only that order is
 * kept (transformers, convert_slow_tokenizer.py), and spaces as marks.
 */
export function piecesOf(tokenizer: JsonFields, model: JsonFields): Pick<PieceList, 'order' | 'spacePrefix'> {
  model.only('ignore_merges', false);
  const vocab = model.object('vocab') ?? model.refuse('vocab', 'an object', undefined);
  const ids = new Map([...vocab.entries()].map(([text, id]) => [text, id as number]));
  const order = new Set<number>();
  for (const [i, merge] of mergesOf(model).entries()) {
    const id = ids.get(merge.replace(' ', ''));
    order.add(id ?? model.refuse(`merges[${i}]`, 'two parts of a token with one space between', merge));
  }
  return { order: [...order], spacePrefix: spacePrefixOf(tokenizer) };
}

/** A normaliser that marks spaces and may put one first, or the pre-tokenizer Metaspace that does it. */
function spacePrefixOf(tokenizer: JsonFields): boolean {
  const space = tokenizer.object('pre_tokenizer');
  if (space) {
    space.only('type', 'Metaspace');
    space.only('replacement', SPACE_MARK);
    space.only('split', false);
    tokenizer.only('normalizer');
    const scheme = space.string('prepend_scheme', 'always');
    if (scheme !== 'always' && scheme !== 'never')
      space.refuse('prepend_scheme', 'always or never; import the GGUF file of a model that says first', scheme);
    return scheme === 'always';
  }
  const outer = tokenizer.object('normalizer') ?? tokenizer.refuse('normalizer', 'Prepend and Replace, or Replace', undefined);
  const steps = outer.raw('type') === 'Sequence' ? outer.array('normalizers') : [];
  const fields = steps.map((step: Json, i) => new JsonFields(step, `tokenizer.json normalizers[${i}]`));
  const inner = fields.length === 0 ? [outer] : fields;
  const types = inner.map((step) => step.string('type')).join(', ');
  if (types !== 'Prepend, Replace' && types !== 'Replace') tokenizer.refuse('normalizer', 'Prepend and Replace, or Replace', types);
  const replace = inner.at(-1)!;
  if (replace.object('pattern')?.raw('String') !== ' ') replace.refuse('pattern', 'a space', replace.object('pattern')?.raw('String'));
  replace.only('content', SPACE_MARK);
  if (types === 'Replace') return false;
  inner[0]!.only('prepend', SPACE_MARK);
  return true;
}
