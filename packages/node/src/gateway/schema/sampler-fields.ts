import type { LogitBias } from '@commonweight/protocol';
import { limits as protocolLimits } from '@commonweight/protocol';
import { z } from 'zod';
import { MILLION, toMillionths } from './millionths.ts';

const millionths = (minimum: number, maximum: number) => z.number().min(minimum).max(maximum).transform(toMillionths);

const temperature = millionths(0, 2).refine(
  (value) => value === 0 || value >= MILLION / 100,
  'must be 0 (greedy) or from 0.01 to 2: below 0.01 the integer sampler cannot tell the logits apart; use 0',
);
const topP = millionths(0, 1).refine((value) => value >= 1, 'must be above 0 and at most 1; for the likeliest token use temperature 0');

/** `{"id": bias}` as pairs in order of ids; a bias of 0 is none. */
const logitBias = z
  .record(z.string(), z.number().min(-100, 'must be from -100 to 100').max(100, 'must be from -100 to 100'))
  .superRefine((biases, context) => {
    const ids = Object.keys(biases);
    const wrong = ids.find((id) => !/^(?:0|[1-9]\d{0,6})$/.test(id));
    if (wrong !== undefined)
      context.addIssue({ code: 'custom', message: `keys must be token ids in decimal digits, got ${JSON.stringify(wrong.slice(0, 32))}` });
    if (ids.length > protocolLimits.logitBias)
      context.addIssue({ code: 'custom', message: `must have at most ${protocolLimits.logitBias} ids, got ${ids.length}` });
  })
  .transform((biases): LogitBias[] =>
    Object.entries(biases)
      .map(([id, bias]) => [Number(id), toMillionths(bias)] as const)
      .filter(([, bias]) => bias !== 0)
      .sort(([a], [b]) => a - b),
  );

/** How tokens are chosen and what is told about them. Fractions leave in millionths, the integers that are signed. */
export const samplerFields = {
  temperature: temperature.nullish(),
  top_p: topP.nullish(),
  top_k: z
    .int()
    .min(0)
    .max(1 << 20)
    .nullish(),
  min_p: millionths(0, 1).nullish(),
  repetition_penalty: millionths(0.01, 2).nullish(),
  presence_penalty: millionths(-2, 2).nullish(),
  frequency_penalty: millionths(-2, 2).nullish(),
  logit_bias: logitBias.nullish(),
  logprobs: z.boolean().nullish(),
  top_logprobs: z.int().min(0).max(protocolLimits.topLogprobs).nullish(),
} as const;
