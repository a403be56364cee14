import { Sampler, tokenVocabulary } from '@commonweight/engine';
import { type Grammar, parseGrammar, samplerSettings, utf8 } from '@commonweight/protocol';
import { describe, expect, it } from 'vitest';
import { ApiError } from '../api-error.ts';
import { objectGrammar, schemaGrammar } from './schema-grammar.ts';

const STOP = 256;
/** Ids are bytes; 256 ends a text. */
const bytes = tokenVocabulary(257, (id) => (id === STOP ? new Uint8Array(0) : Uint8Array.of(id)));
const samplerOf = (grammar: Grammar, key = 0, temperature = 0): Sampler =>
  new Sampler({
    settings: samplerSettings({ grammar, temperature }),
    prfKey: new Uint8Array(32).fill(key),
    promptIds: [0],
    stopIds: [STOP],
    vocabulary: bytes,
  });

/** Whether a text is one of the grammar's: only then the stop id may follow. */
function fits(grammar: Grammar, text: string): boolean {
  const sampler = samplerOf(grammar);
  for (const byte of utf8(text)) sampler.accept(byte);
  const logits = new Int32Array(257);
  logits[STOP] = 1000;
  return sampler.sample(logits) === STOP;
}

/** A random text of the grammar: even odds for every byte that is allowed, better ones for what closes something. */
function randomText(grammar: Grammar, key: number): string {
  const sampler = samplerOf(grammar, key, 1_000_000);
  const logits = new Int32Array(257);
  for (const close of ['"', '}', ']']) logits[close.codePointAt(0)!] = 4 * 65_536;
  logits[STOP] = 20 * 65_536;
  const text: number[] = [];
  for (;;) {
    const id = sampler.sample(logits);
    if (id === STOP) return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Uint8Array.from(text));
    expect(id).toBeGreaterThanOrEqual(0);
    sampler.accept(id);
    text.push(id);
  }
}

const of = (schema: unknown): Grammar => schemaGrammar(schema, 'schema');
const person = {
  type: 'object',
  title: 'Person',
  properties: {
    name: { type: 'string', description: 'in full' },
    age: { type: 'integer' },
    mail: { type: ['string', 'null'] },
    tags: { type: 'array', items: { enum: ['a', 'ä"', 3, null] } },
  },
  required: ['name', 'tags'],
  additionalProperties: false,
};
const tree = { $ref: '#/$defs/node', $defs: { node: { type: 'object', properties: { v: { type: 'number' }, kids: { type: 'array', items: { $ref: '#/$defs/node' } } }, required: ['v'] } } }; // prettier-ignore

describe('schemaGrammar', () => {
  it.each<[string, unknown, string[], string[]]>([
    ['an object in the order of its properties', person, ['{"name":"x","tags":[]}', '{"name": "é\\n\\u00e9🐈", "age":-10, "mail":null,"tags":["a", "ä\\"",3,null]}', '{"name":"","mail":"m","tags":["a"]}'], ['{}', '{"tags":[],"name":"x"}', '{"name":"x"}', '{"name":"x","tags":[],}', '{"name":"x","tags":["b"]}', '{"name":"x","age":1.5,"tags":[]}', '{"name":"x","tags":[],"other":1}', '{"name":"x\n","tags":[]}', ' {"name":"x","tags":[]}', '{"name":"x","tags":[]} ']], // prettier-ignore
    [
      'all optional',
      { properties: { a: { const: 1 }, b: { const: 2 } } },
      ['{}', '{"a":1}', '{"b":2}', '{"a":1,"b":2}'],
      ['{,"b":2}', '{"b":2,"a":1}', '{"a":1,"a":1}', '{"a":1 ,"b":2}'],
    ],
    [
      'numbers',
      { type: 'number' },
      ['0', '-0', '12.5', '1e5', '-1.25E-10', '123456789012345'],
      ['01', '.5', '1.', '+1', 'NaN', '1e', '1e1234', '--1'],
    ],
    ['integers', { type: 'integer' }, ['0', '-7', '10'], ['1.0', '1e1', '00']],
    ['strings', { type: 'string' }, ['""', '"\\\\"', '"\ud83d\ude00"', '"\u007f"'], ['"', '"\\x"', '"\t"', "'a'", '"\\u12g4"']],
    ['any value', true, ['[1, {"a":[]},"x",true,null]', '{"":{}}'], ['[1 ,2]', '{1:2}', 'undefined', '']],
    ['a map', { type: 'object', additionalProperties: { type: 'boolean' } }, ['{}', '{"x":true,"y":false}'], ['{"x":1}']],
    ['one of several', { anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'integer' } }] }, ['"x"', '[1,2]'], ['1', '["x"]']],
    ['a recursive schema', tree, ['{"v":1}', '{"v":1,"kids":[{"v":2,"kids":[]},{"v":3}]}'], ['{"kids":[]}', '{"v":1,"kids":[1]}']],
  ])('%s', (_, schema, inside, outside) => {
    const grammar = of(schema);
    expect(inside.filter((text) => !fits(grammar, text))).toEqual([]);
    expect(outside.filter((text) => fits(grammar, text))).toEqual([]);
    for (const text of inside) JSON.parse(text);
  });

  it('has only texts that parse, and that have the shape of the schema', () => {
    for (let key = 0; key < 40; key++) {
      const value = JSON.parse(randomText(of(person), key)) as Record<string, unknown>;
      expect(Object.keys(value)).toEqual(['name', 'age', 'mail', 'tags'].filter((name) => name in value));
      expect(typeof value['name']).toBe('string');
      expect(value['age'] === undefined || Number.isInteger(value['age'])).toBe(true);
      expect([undefined, null, 'string']).toContain(typeof value['mail'] === 'string' ? 'string' : value['mail']);
      expect((value['tags'] as unknown[]).every((tag) => ['a', 'ä"', 3, null].includes(tag as string))).toBe(true);
      expect(JSON.parse(randomText(objectGrammar(), key))).toBeTypeOf('object');
    }
  });

  it('any object', () => {
    const grammar = parseGrammar(objectGrammar(), 'grammar');
    expect(['{}', '{"a": [1.5,{"b":null}]}'].every((text) => fits(grammar, text))).toBe(true);
    expect(['[]', '1', ''].some((text) => fits(grammar, text))).toBe(false);
  });
});

describe('what is refused names its place', () => {
  const nest = (depth: number): unknown => (depth === 0 ? true : { type: 'array', items: nest(depth - 1) });
  const many = { properties: Object.fromEntries(Array.from({ length: 600 }, (_, i) => [`p${i}`, { type: 'string' }])) };
  const doubling = { $ref: '#/$defs/d0', $defs: Object.fromEntries(Array.from({ length: 600 }, (_, i) => [`d${i}`, { anyOf: [{ $ref: `#/$defs/d${i + 1}` }, { $ref: `#/$defs/d${i + 1}` }] }])) }; // prettier-ignore
  it.each<[string, unknown, string, RegExp]>([
    ['a pattern', { type: 'string', pattern: '(a+)+$' }, 'schema.pattern', /not supported/],
    ['a bound', { properties: { n: { type: 'integer', minimum: 3 } } }, 'schema.properties.n.minimum', /not supported/],
    ['oneOf', { oneOf: [{}] }, 'schema.oneOf', /not supported/],
    ['keywords beside a reference', { $ref: '#', minItems: 1 }, 'schema.minItems', /not supported/],
    ['an unknown type', { type: 'date' }, 'schema.type', /one or more of/],
    ['a schema that is none', { items: 5 }, 'schema.items', /must be a schema/],
    ['a required name that is not there', { properties: {}, required: ['__proto__'] }, 'schema.required', /must name properties/],
    ['a reference to elsewhere', { $ref: 'https://example.com/x' }, 'schema.$ref', /#\/\$defs\/NAME/],
    ['a reference to nothing', { $ref: '#/$defs/constructor', $defs: {} }, 'schema.$ref', /#\/\$defs\/NAME/],
    ['a schema that is itself', { $ref: '#' }, 'schema', /lead to itself/],
    [
      'two that are each other',
      { $ref: '#/$defs/a', $defs: { a: { anyOf: [{ $ref: '#/$defs/b' }] }, b: { $ref: '#/$defs/a' } } },
      'schema',
      /lead to itself/,
    ],
    ['an object that needs itself', { properties: { x: { $ref: '#' } }, required: ['x'] }, 'schema', /no text of finite length/],
    ['a deep schema', nest(25), `schema${'.items'.repeat(25)}`, /at most 24 levels/],
    ['a wide schema', many, 'schema', /at most 512 schemas/],
    ['references without end', doubling, `schema.$defs.d12.anyOf[0].$ref`, /at most/],
    ['a long enum', { enum: Array.from({ length: 513 }, (_, i) => i) }, 'schema.enum', /1 to 512 values/],
    ['a huge value', { const: 'x'.repeat(600) }, 'schema.const', /at most 512 characters/],
    [
      'additional properties of a type beside others',
      { properties: { a: true }, additionalProperties: { type: 'string' } },
      'schema.additionalProperties',
      /use false/,
    ],
  ])('%s', (_, schema, field, message) => {
    let error: unknown;
    const started = process.hrtime.bigint();
    try {
      of(schema);
    } catch (thrown) {
      error = thrown;
    }
    expect(Number(process.hrtime.bigint() - started) / 1e6).toBeLessThan(2000);
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({ status: 400 });
    expect((error as ApiError).message).toMatch(message);
    if (!field.includes('$defs.d12')) expect((error as ApiError).field).toBe(field);
  });
});
