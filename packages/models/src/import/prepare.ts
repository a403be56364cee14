import type { GenerationDefaults, Graph } from '@commonweight/protocol';
import type { ByteSource } from '../gguf/byte-source.ts';
import { type Gguf, parseGguf } from '../gguf/parse-gguf.ts';
import { graphFromGguf } from './graph-from-gguf.ts';
import { checkPlan, type Plan, planWeights } from './plan.ts';
import { chatTemplateFromGguf, tokenizerFromGguf } from './tokenizer-json.ts';

export interface PreparedImport {
  readonly gguf: Gguf;
  readonly graph: Graph;
  readonly ropeBase: number;
  readonly plan: Plan;
  readonly generation: GenerationDefaults;
  readonly tokenizerJson: Uint8Array;
  readonly chatTemplate: Uint8Array;
}

/** Everything of an import that can be refused without reading a weight. */
export function prepareImport(source: ByteSource): PreparedImport {
  const gguf = parseGguf(source);
  const { graph, ropeBase } = graphFromGguf(gguf);
  const plan = planWeights(graph, gguf);
  const { json, stopIds } = tokenizerFromGguf(gguf, graph.vocabulary);
  const chatTemplate = chatTemplateFromGguf(gguf);
  const generation = { stopIds, temperature: 1_000_000, topP: 1_000_000, topK: 0 };
  checkPlan(graph, plan, generation);
  return { gguf, graph, ropeBase, plan, generation, tokenizerJson: json, chatTemplate };
}
