import type { SamplerSettings } from '@commonweight/protocol';

const decimal = (millionths: number): string => String(millionths / 1_000_000);

/** The settings that were not off, in the order in which they act. */
export function describeSampler(settings: SamplerSettings, seed: string): string {
  const { temperature, topK, topP, minP, repetitionPenalty, presencePenalty, frequencyPenalty, logitBias, grammar } = settings;
  const parts = [
    ...(grammar ? [`a grammar of ${grammar.rules.length} rule${grammar.rules.length === 1 ? '' : 's'}`] : []),
    ...(logitBias.length > 0 ? [`bias on ${logitBias.length} id${logitBias.length === 1 ? '' : 's'}`] : []),
    ...(repetitionPenalty === 1_000_000 ? [] : [`repetition penalty ${decimal(repetitionPenalty)}`]),
    ...(presencePenalty === 0 ? [] : [`presence penalty ${decimal(presencePenalty)}`]),
    ...(frequencyPenalty === 0 ? [] : [`frequency penalty ${decimal(frequencyPenalty)}`]),
  ];
  if (temperature === 0) return [...parts, 'greedy'].join(', ');
  return [
    ...parts,
    `temperature ${decimal(temperature)}`,
    ...(topK === 0 ? [] : [`top-k ${topK}`]),
    ...(topP === 1_000_000 ? [] : [`top-p ${decimal(topP)}`]),
    ...(minP === 0 ? [] : [`min-p ${decimal(minP)}`]),
    `seed ${seed}`,
  ].join(', ');
}
