import * as z from 'zod';
import { gatewayLimits as limits } from '../../limits.ts';
import { inertFields } from './inert-fields.ts';
import { responseFormat } from './response-format.ts';
import { samplerFields } from './sampler-fields.ts';

/** In a `u` pattern only a lone surrogate is one; a pair is the character that it stands for. */
const isWellFormed = (value: string): boolean => !/\p{Surrogate}/u.test(value);

/** Text that can be written as UTF-8; a lone surrogate would change silently on its way to the model. */
const text = z.string().refine(isWellFormed, 'must be well-formed Unicode (it holds a lone surrogate)');

const textPart = z.strictObject({ type: z.literal('text', 'only text parts are supported'), text });
const content = z.union([text, z.array(textPart).min(1).max(limits.contentParts)]);
const joined = content.transform((value) => (typeof value === 'string' ? value : value.map((part) => part.text).join('')));

/** What an answer of this API carries besides its text: accepted, so that it can be sent back as history. */
const answerLeftovers = {
  refusal: z.null().optional(),
  audio: z.null().optional(),
  function_call: z.null().optional(),
  annotations: z.union([z.null(), z.array(z.never()).max(0)]).optional(),
  tool_calls: z.union([z.null(), z.array(z.never()).max(0)]).optional(),
};

const message = z.discriminatedUnion(
  'role',
  [
    z.strictObject({ role: z.literal('system'), content: joined }),
    z.strictObject({ role: z.literal('developer'), content: joined }),
    z.strictObject({ role: z.literal('user'), content: joined }),
    z.strictObject({ role: z.literal('assistant'), content: joined, ...answerLeftovers }),
  ],
  'must be system, developer, user or assistant (tools are not supported)',
);

const stopString = z.string().min(1).max(limits.stopStringLength).refine(isWellFormed, 'must be well-formed Unicode');
const stop = z.union([stopString.transform((value) => [value]), z.array(stopString).max(limits.stopStrings)]);

const nodeIds = z
  .array(
    z
      .string()
      .regex(/^0x[0-9a-fA-F]{40}$/, 'must be a node id: 0x and 40 hexadecimal digits (see GET /v1/nodes)')
      .transform((id) => id.toLowerCase() as `0x${string}`),
  )
  .max(limits.providerEntries);

const provider = z.strictObject({
  only: nodeIds.min(1).optional(),
  order: nodeIds.optional(),
  ignore: nodeIds.optional(),
  allow_fallbacks: z.boolean().optional(),
});

const tokens = z
  .int()
  .min(1)
  .max(1 << 20);

/** `POST /v1/chat/completions`: the supported part of OpenAI's schema; any other field is refused by name. Fractions leave in millionths. */
export const chatRequestSchema = z.strictObject({
  model: z.string().min(1).max(256),
  messages: z
    .array(message)
    .min(1)
    .max(limits.messages)
    .transform((list) => list.map(({ role, content: of }) => ({ role: role === 'developer' ? ('system' as const) : role, content: of }))),
  stream: z.boolean().nullish(),
  stream_options: z.strictObject({ include_usage: z.boolean().optional(), include_obfuscation: z.literal(false).optional() }).nullish(),
  stop: stop.nullish(),
  seed: z
    .number()
    .refine(Number.isSafeInteger, 'must be an integer from -9007199254740991 to 9007199254740991 (larger ones lose digits in JSON)')
    .nullish(),
  ...samplerFields,
  response_format: responseFormat.nullish(),
  max_tokens: tokens.nullish(),
  max_completion_tokens: tokens.nullish(),
  n: z.literal(1, 'only n = 1 is supported now; send one request per choice').nullish(),
  provider: provider.nullish(),
  ...inertFields,
});

export type ChatRequest = z.output<typeof chatRequestSchema>;
export type ChatMessage = ChatRequest['messages'][number];
export type ProviderPreferences = z.output<typeof provider>;
