import { type Alternative, DecodeError, type Grammar, parseGrammar } from '@commonweight/protocol';
import { gatewayLimits as limits } from '../../limits.ts';
import { type ApiError, invalid } from '../api-error.ts';
import { GrammarBuilder } from './grammar-builder.ts';

type Schema = Readonly<Record<string, unknown>>;

/** Keywords that ask for nothing. */
const NOTES = ['title', 'description', 'default', 'examples', '$schema', '$id', '$comment', '$defs', 'definitions', 'deprecated'];
const KEYWORDS: Readonly<Record<string, readonly string[]>> = {
  object: ['properties', 'required', 'additionalProperties'],
  array: ['items'],
};
const SCALARS = ['string', 'number', 'integer', 'boolean', 'null'] as const;

/** A grammar of any JSON object. */
export function objectGrammar(): Grammar {
  const builder = new GrammarBuilder();
  void builder.object;
  return builder.grammar();
}

/**
 * The grammar of the JSON texts that a schema allows, for a part of JSON Schema: `type`, `properties`, `required`, `additionalProperties`, `items`, `enum`, `const`,
 * `anyOf`, `$ref` within the schema. Properties come in the order of the schema. A keyword that it does not know is refused, never ignored.
 * @param path - name of the schema in errors
 * @throws ApiError 400 that names the place
 */
export function schemaGrammar(schema: unknown, path: string): Grammar {
  const compiler = new SchemaCompiler(schema, path);
  const grammar = compiler.compile();
  try {
    return parseGrammar(grammar, 'grammar');
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw invalid(
      path,
      `${path}: no text of finite length fits this schema, or it is too large (${error.message}); does a $ref lead to itself?`,
      'invalid_schema',
    );
  }
}

class SchemaCompiler {
  readonly #root: unknown;
  readonly #path: string;
  readonly #builder = new GrammarBuilder();
  readonly #references = new Map<string, number>();
  #nodes = 0;

  constructor(root: unknown, path: string) {
    this.#root = root;
    this.#path = path;
  }

  compile(): Grammar {
    const start = this.#builder.open();
    this.#references.set('#', start);
    this.#builder.set(start, [[this.#schema(this.#root, this.#path, 0)]]);
    return this.#builder.grammar();
  }

  #schema(schema: unknown, path: string, depth: number): number {
    if (++this.#nodes > limits.schemaNodes)
      throw refused(this.#path, `at most ${limits.schemaNodes} schemas within each other are supported`);
    if (depth > limits.schemaDepth) throw refused(path, `at most ${limits.schemaDepth} levels are supported`);
    if (schema === true) return this.#builder.value;
    if (typeof schema !== 'object' || schema === null || Array.isArray(schema)) throw refused(path, 'must be a schema: an object, or true');
    const of = schema as Schema;
    if (Object.hasOwn(of, '$ref')) return this.#reference(of, path, depth);
    for (const keyword of ['anyOf', 'enum', 'const'] as const) {
      if (!Object.hasOwn(of, keyword)) continue;
      only(of, path, [keyword, ...(keyword === 'anyOf' ? [] : ['type'])]);
      if (keyword === 'anyOf') return this.#anyOf(of['anyOf'], `${path}.anyOf`, depth);
      return this.#literals(keyword === 'const' ? [of['const']] : of['enum'], `${path}.${keyword}`);
    }
    const types = typesOf(of, path);
    if (types === undefined) {
      only(of, path, []);
      return this.#builder.value;
    }
    only(of, path, ['type', ...types.flatMap((type) => KEYWORDS[type] ?? [])]);
    return this.#builder.rule(types.map((type) => [this.#type(type, of, path, depth)]));
  }

  #type(type: string, schema: Schema, path: string, depth: number): number {
    const builder = this.#builder;
    switch (type) {
      case 'object':
        return this.#object(schema, path, depth);
      case 'array':
        return builder.listOf(() =>
          schema['items'] === undefined ? builder.value : this.#schema(schema['items'], `${path}.items`, depth + 1),
        );
      case 'boolean':
        return builder.rule([['=true'], ['=false']]);
      case 'null':
        return builder.rule([['=null']]);
      default:
        return builder[type as 'string' | 'number' | 'integer'];
    }
  }

  /** Members in the order of `properties`: for each place one rule before the first member and one after it. */
  #object(schema: Schema, path: string, depth: number): number {
    const { properties = {}, required = [], additionalProperties: more = false } = schema;
    if (typeof properties !== 'object' || properties === null || Array.isArray(properties))
      throw refused(`${path}.properties`, 'must be an object');
    const entries = Object.entries(properties as Schema);
    if (!Array.isArray(required)) throw refused(`${path}.required`, 'must be a list of names');
    const strange = (required as readonly unknown[]).find((name) => typeof name !== 'string' || !Object.hasOwn(properties, name));
    if (strange !== undefined) throw refused(`${path}.required`, `must name properties, got ${JSON.stringify(strange)?.slice(0, 64)}`);
    const builder = this.#builder;
    if (entries.length === 0 && more !== false)
      return builder.rule(builder.mapAlternatives(() => this.#schema(more, `${path}.additionalProperties`, depth + 1)));
    if (typeof more !== 'boolean')
      throw refused(`${path}.additionalProperties`, 'a schema is supported only without properties; use false');
    let first = builder.rule([[]]);
    let after = first;
    for (const [name, of] of entries.toReversed()) {
      const at = `${path}.properties.${name}`;
      const member = [literal(JSON.stringify(name), at), builder.colon, this.#schema(of, at, depth + 1)];
      const optional = !required.includes(name);
      const begin: Alternative[] = [[...member, after], ...(optional ? [[first]] : [])];
      const goOn: Alternative[] = [[builder.comma, ...member, after], ...(optional ? [[after]] : [])];
      [first, after] = [builder.rule(begin), builder.rule(goOn)];
    }
    return builder.rule([['={', first, '=}']]);
  }

  #anyOf(options: unknown, path: string, depth: number): number {
    if (!Array.isArray(options) || options.length === 0) throw refused(path, 'must be a list of schemas');
    return this.#builder.rule((options as readonly unknown[]).map((option, i) => [this.#schema(option, `${path}[${i}]`, depth + 1)]));
  }

  #literals(values: unknown, path: string): number {
    if (!Array.isArray(values) || values.length === 0 || values.length > limits.schemaNodes)
      throw refused(path, `must be a list of 1 to ${limits.schemaNodes} values`);
    return this.#builder.rule((values as readonly unknown[]).map((value) => [literal(JSON.stringify(value), path)]));
  }

  #reference(schema: Schema, path: string, depth: number): number {
    only(schema, path, ['$ref']);
    const { $ref: pointer } = schema;
    const known = typeof pointer === 'string' ? this.#references.get(pointer) : undefined;
    if (known !== undefined) return known;
    const [, folder, name] = typeof pointer === 'string' ? (/^#\/(\$defs|definitions)\/([^/~%]+)$/.exec(pointer) ?? []) : [];
    const definitions = (this.#root as Schema)[folder ?? ''];
    if (name === undefined || typeof definitions !== 'object' || definitions === null || !Object.hasOwn(definitions, name))
      throw refused(`${path}.$ref`, 'must be # or lead to an entry of $defs: #/$defs/NAME');
    const rule = this.#builder.open();
    this.#references.set(pointer as string, rule);
    this.#builder.set(rule, [[this.#schema((definitions as Schema)[name], `${this.#path}.${folder}.${name}`, depth + 1)]]);
    return rule;
  }
}

function typesOf(schema: Schema, path: string): readonly string[] | undefined {
  const { type } = schema;
  if (type === undefined) {
    if (['properties', 'required'].some((keyword) => Object.hasOwn(schema, keyword))) return ['object'];
    return Object.hasOwn(schema, 'items') ? ['array'] : undefined;
  }
  const types: readonly unknown[] = Array.isArray(type) ? type : [type];
  const known: readonly unknown[] = ['object', 'array', ...SCALARS];
  if (types.length === 0 || types.some((of) => !known.includes(of)))
    throw refused(`${path}.type`, `must be one or more of ${known.join(', ')}`);
  return [...new Set(types as readonly string[])];
}

/** Refuses every keyword that is neither one of `known` nor without meaning. */
function only(schema: Schema, path: string, known: readonly string[]): void {
  const strange = Object.keys(schema).find((keyword) => !known.includes(keyword) && !NOTES.includes(keyword));
  if (strange !== undefined) throw refused(`${path}.${strange.slice(0, 64)}`, 'this keyword is not supported here; remove it');
}

/** `JSON.stringify` writes half a surrogate pair as an escape: its texts are well-formed. */
function literal(json: string | undefined, path: string): string {
  if (json === undefined || json.length > limits.schemaLiteral)
    throw refused(path, `must be JSON of at most ${limits.schemaLiteral} characters`);
  return `=${json}`;
}

const refused = (path: string, message: string): ApiError => invalid(path, `${path}: ${message}`, 'invalid_schema');
