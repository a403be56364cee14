import type { GenerationDefaults, Graph } from '@commonweight/protocol';
import type { ByteSource } from '../gguf/byte-source.ts';
import { type Gguf, parseGguf } from '../gguf/parse-gguf.ts';
import type { Architecture } from './architectures.ts';
import { architectureOf, graphFromGguf } from './graph-from-gguf.ts';
import { Metadata } from './metadata.ts';
import type { ImportOptions } from './import-gguf.ts';
import { conversionOf, type ImportProfile } from './profile.ts';
import { checkPlan, type Plan, planWeights } from './plan.ts';
import { isRotated, withNeighbours } from './neighbour-rows.ts';
import { ROPE_FACTORS } from './rope-from-gguf.ts';
import type { RopeParameters } from './rope-parameters.ts';
import type { StoredTensor } from './stored-tensor.ts';
import { chatTemplateFromGguf, type ImportedTokenizer, tokenizerFromGguf } from './tokenizer-json.ts';

export interface PreparedImport {
  readonly graph: Graph;
  readonly rope: RopeParameters;
  readonly plan: Plan;
  readonly generation: GenerationDefaults;
  readonly tokenizerJson: Uint8Array;
  readonly chatTemplate: Uint8Array;
  /** What the input calls itself, for the card. */
  readonly name: string | undefined;
  readonly licence: string;
}

/** The parts of a model before they are checked against each other. */
export interface ModelParts extends Omit<PreparedImport, 'plan' | 'generation' | 'tokenizerJson'> {
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  /** Asked for when the tensors are known to fit the graph. */
  readonly tokenizer: () => ImportedTokenizer;
  readonly profile: ImportProfile | undefined;
}

/** The tensors whose rows the engine multiplies with, in its order; `rope_freqs` went into the RoPE table. */
function ggufTensors(gguf: Gguf, source: ByteSource, { ggufPairs }: Architecture, { headDimension }: Graph): Map<string, StoredTensor> {
  const tensors = new Map<string, StoredTensor>();
  for (const [name, tensor] of gguf.tensors) {
    if (name === ROPE_FACTORS) continue;
    const stored = { ...tensor, source };
    tensors.set(name, ggufPairs === 'halves' && isRotated(name) ? withNeighbours(stored, headDimension) : stored);
  }
  return tensors;
}

/** Everything of an import that can be refused without reading a weight. */
export function prepareImport(source: ByteSource, { context, profile }: Pick<ImportOptions, 'context' | 'profile'> = {}): PreparedImport {
  const gguf = parseGguf(source);
  const { graph, rope } = graphFromGguf(gguf, source, context);
  const chatTemplate = chatTemplateFromGguf(gguf);
  const metadata = new Metadata(gguf.metadata);
  return prepareParts({
    graph,
    rope,
    tensors: ggufTensors(gguf, source, architectureOf(metadata), graph),
    tokenizer: () => tokenizerFromGguf(gguf, graph.vocabulary, new TextDecoder().decode(chatTemplate)),
    chatTemplate,
    name: metadata.has('general.name') ? metadata.string('general.name') : undefined,
    licence: metadata.string('general.license', 'unknown'),
    profile,
  });
}

export function prepareParts({ tensors, tokenizer, profile = 'default', ...parts }: ModelParts): PreparedImport {
  const conversion = conversionOf(profile, parts.graph, tensors);
  const { graph } = conversion;
  const plan = planWeights(conversion);
  const { json, stopIds } = tokenizer();
  const generation = { stopIds, temperature: 1_000_000, topP: 1_000_000, topK: 0 };
  checkPlan(graph, plan, generation);
  return { ...parts, graph, plan, generation, tokenizerJson: json };
}
