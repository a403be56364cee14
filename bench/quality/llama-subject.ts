import { pathToFileURL } from 'node:url';
import type { Subject } from './subject.ts';

/** The part of node-llama-cpp that is used here; it is installed under .cache and has no types at build time. */
interface LlamaModule {
  readonly getLlama: (options: object) => Promise<{ loadModel(options: object): Promise<LlamaModel> }>;
}
interface LlamaModel {
  createContext(options: object): Promise<{ getSequence(): LlamaSequence }>;
}
interface LlamaSequence {
  clearHistory(): Promise<void>;
  controlledEvaluate(
    input: readonly (readonly [number, object])[],
    options: { onTokenResult: (index: number, result: { next: { logits?: Map<number, number> } }) => void },
  ): Promise<unknown>;
}

/** llama.cpp on one thread of the processor, everything else as its makers set it (KV cache in float16, flash attention off). */
export async function llamaSubject(path: string, entry: string): Promise<Subject> {
  const { getLlama } = (await import(pathToFileURL(entry).href)) as LlamaModule;
  const llama = await getLlama({ gpu: false, build: 'never', logLevel: 'error', maxThreads: 1 });
  const model = await llama.loadModel({ modelPath: path, gpuLayers: 0 });
  const context = await model.createContext({ contextSize: 512, batchSize: 512, threads: 1 });
  const sequence = context.getSequence();
  return async (ids, onLogits) => {
    await sequence.clearHistory();
    let logits: Float32Array | undefined;
    await sequence.controlledEvaluate(
      ids.map((id) => [id, { generateNext: { logits: true } }] as const),
      {
        onTokenResult: (position, { next }) => {
          if (!next.logits) throw new Error(`llama.cpp gave no logits at position ${position}`);
          logits ??= new Float32Array(next.logits.size);
          for (const [id, value] of next.logits) logits[id] = value;
          delete next.logits; // 49,152 of them a position would stay in memory
          onLogits(position, logits, 1);
        },
      },
    );
  };
}
