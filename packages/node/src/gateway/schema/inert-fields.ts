import * as z from 'zod';

const short = z.string().max(512).nullish();
const emptyArray = z.array(z.never(), 'tools are not supported').max(0, 'tools are not supported').nullish();

/**
 * OpenAI fields that change nothing here: accepted only with the values that ask for nothing, so that stock clients work and no wish is
 * silently dropped. Listed in the package's README.
 */
export const inertFields = {
  user: short,
  safety_identifier: short,
  prompt_cache_key: short,
  metadata: z.record(z.string().max(64), z.string().max(512)).nullish(),
  store: z.literal(false, 'must be false: answers are not stored for later retrieval').nullish(),
  service_tier: z.enum(['auto', 'default']).nullish(),
  parallel_tool_calls: z.boolean().nullish(),
  modalities: z.array(z.literal('text', 'only text is supported')).max(1).nullish(),
  tools: emptyArray,
  tool_choice: z.enum(['none', 'auto']).nullish(),
} as const;
