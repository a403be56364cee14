import { type Executor, generate } from '@commonweight/engine';
import { type SamplerSettings, fromHex, prfKey, toHex, samplerSettings } from '@commonweight/protocol';
import { IntegerDigest } from './digest.ts';
import type { Operations } from './operations.ts';
import type { Item, ModelName } from './plan.ts';
import { runRandomCase } from './random-case.ts';
import { RandomValues } from './random-values.ts';

/** What a back end can do. `operations` is absent where single operations cannot be called. */
export interface Workbench {
  readonly executorOf: (model: ModelName) => Executor;
  readonly operations: Operations | undefined;
}

export interface ItemResult {
  readonly id: string;
  /** `null` when this back end cannot run the item. */
  readonly digest: string | null;
}

const MODEL_ID = `0x${'5a'.repeat(32)}` as const;
const SAMPLERS: readonly SamplerSettings[] = [
  samplerSettings(),
  samplerSettings({ temperature: 700_000, topK: 40, topP: 950_000 }),
  samplerSettings({ temperature: 1_000_000 }),
  samplerSettings({ temperature: 1_600_000, topP: 900_000 }),
  samplerSettings({
    temperature: 1_000_000,
    minP: 50_000,
    repetitionPenalty: 1_200_000,
    frequencyPenalty: 300_000,
    logitBias: [[5, -2_000_000]],
  }),
];

export function runItem(item: Item, bench: Workbench): ItemResult {
  const digest = new IntegerDigest();
  if (item.kind === 'kernels') {
    if (bench.operations === undefined) return { id: item.id, digest: null };
    const random = new RandomValues(item.seed);
    for (let i = 0; i < item.cases; i++) {
      for (const values of runRandomCase(item.operation, random, bench.operations)) digest.add(values);
    }
  } else {
    const { completionIds, commitment } = generate({ executor: bench.executorOf(item.model), ...requestOf(item, bench) });
    digest.add(completionIds);
    digest.add(commitment.root());
  }
  return { id: item.id, digest: digest.hex() };
}

/** No stop ids: an item gives exactly the tokens that it promises. */
function requestOf(item: Item & { kind: 'generation' }, bench: Workbench) {
  const random = new RandomValues(item.seed);
  const { vocabulary } = bench.executorOf(item.model).manifest.graph;
  const promptIds = Array.from({ length: random.integer(1, 40) }, () => random.integer(0, vocabulary - 1));
  const sampler = SAMPLERS[(item.seed - 1) % SAMPLERS.length]!;
  const seed = toHex(fromHex(`0x${item.seed.toString(16).padStart(32, '0')}`));
  return { promptIds, sampler, prfKey: prfKey(MODEL_ID, sampler, seed, 0), stopIds: [], maxTokens: item.tokens };
}
