import type { Grammar } from '@commonweight/protocol';
import { z } from 'zod';
import { objectGrammar, schemaGrammar } from '../json-schema/schema-grammar.ts';

const jsonSchema = z.strictObject({
  name: z.string().regex(/^[a-zA-Z0-9_-]{1,64}$/, 'must be 1 to 64 letters, digits, _ or -'),
  description: z.string().max(4096).nullish(),
  schema: z.record(z.string(), z.unknown()),
  strict: z.boolean().nullish(),
});

/** OpenAI's field. A schema is followed to the letter whether or not it is called strict. */
export const responseFormat = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('text') }),
  z.strictObject({ type: z.literal('json_object') }),
  z.strictObject({ type: z.literal('json_schema'), json_schema: jsonSchema }),
]);

/** @throws ApiError 400 that names the place of a schema that is not supported. */
export function grammarOf(format: z.output<typeof responseFormat> | null | undefined): Grammar | null {
  if (!format || format.type === 'text') return null;
  if (format.type === 'json_object') return objectGrammar();
  return schemaGrammar(format.json_schema.schema, 'response_format.json_schema.schema');
}
