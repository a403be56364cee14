import type { Alternative, Grammar } from '@commonweight/protocol';

/** Digits of a number before the point, after it, and of its exponent: a model that repeats itself still comes to an end. */
const DIGITS = { whole: 15, fraction: 15, exponent: 2 } as const;

/** Rules of JSON (RFC 8259), compact but for one space that may follow `,` and `:`; each is made when it is first asked for. */
export class GrammarBuilder {
  readonly #rules: Alternative[][] = [];
  readonly #known = new Map<string, number>();

  get rules(): number {
    return this.#rules.length;
  }

  /** A rule whose alternatives come later: it may be used by them. */
  open(): number {
    return this.#rules.push([]) - 1;
  }

  set(rule: number, alternatives: Alternative[]): void {
    this.#rules[rule] = alternatives;
  }

  rule(alternatives: Alternative[]): number {
    return this.#rules.push(alternatives) - 1;
  }

  grammar(): Grammar {
    return { rules: this.#rules };
  }

  get comma(): number {
    return this.#once('comma', () => [['=,'], ['=, ']]);
  }

  get colon(): number {
    return this.#once('colon', () => [['=:'], ['=: ']]);
  }

  get string(): number {
    return this.#once('string', () => [['="', this.#characters, '="']]);
  }

  get integer(): number {
    return this.#once('integer', () => [[this.#minus, '=0'], [this.#minus, '~3139', this.#digits(DIGITS.whole)]]); // prettier-ignore
  }

  get number(): number {
    return this.#once('number', () => {
      const fraction = this.rule([[], ['=.', '~3039', this.#digits(DIGITS.fraction)]]);
      const exponent = this.rule([[], ['~45456565', this.rule([[], ['~2b2b2d2d']]), '~3039', this.#digits(DIGITS.exponent)]]);
      return [[this.integer, fraction, exponent]];
    });
  }

  /** Any JSON value. */
  get value(): number {
    return this.#once('value', () => [
      [this.object],
      [this.listOf(() => this.value)],
      [this.string],
      [this.number],
      ['=true'],
      ['=false'],
      ['=null'],
    ]);
  }

  /** Any JSON object. */
  get object(): number {
    return this.#once('object', () => this.mapAlternatives(() => this.value));
  }

  /** An object whose keys are any strings. */
  mapAlternatives(valueOf: () => number): Alternative[] {
    const member = this.open();
    const more = this.open();
    this.set(member, [[this.string, this.colon, valueOf()]]);
    this.set(more, [[], [this.comma, member, more]]);
    return [['={}'], ['={', member, more, '=}']];
  }

  listOf(itemOf: () => number): number {
    const more = this.open();
    const list = this.open();
    const item = itemOf();
    this.set(more, [[], [this.comma, item, more]]);
    this.set(list, [['=[]'], ['=[', item, more, '=]']]);
    return list;
  }

  get #minus(): number {
    return this.#once('minus', () => [[], ['=-']]);
  }

  #digits(most: number): number {
    return this.#once(`digits ${most}`, () => (most === 0 ? [[]] : [[], ['~3039', this.#digits(most - 1)]]));
  }

  get #characters(): number {
    const rule = this.#known.get('characters');
    if (rule !== undefined) return rule;
    const characters = this.open();
    this.#known.set('characters', characters);
    this.set(characters, [[], [this.#character, characters]]);
    return characters;
  }

  /** One character of a string: well-formed UTF-8 (RFC 3629), or an escape. */
  get #character(): number {
    const tail = '~80bf';
    return this.#once('character', () => [
      ['~2021235b5d7f'],
      ['=\\', '~22222f2f5c5c626266666e6e72727474'],
      ['=\\u', ...Array.from({ length: 4 }, () => '~303941466166')],
      ['~c2df', tail],
      ['~e0e0', '~a0bf', tail],
      ['~e1eceeef', tail, tail],
      ['~eded', '~809f', tail],
      ['~f0f0', '~90bf', tail, tail],
      ['~f1f3', tail, tail, tail],
      ['~f4f4', '~808f', tail, tail],
    ]);
  }

  #once(name: string, alternatives: () => Alternative[]): number {
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    const rule = this.open();
    this.#known.set(name, rule);
    this.set(rule, alternatives());
    return rule;
  }
}
