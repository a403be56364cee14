import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

export interface LlamaVocabulary {
  tokenize(text: string, specialTokens: boolean, options: 'trimLeadingSpace' | undefined): readonly number[];
}
interface LlamaModule {
  readonly getLlama: (
    options: object,
  ) => Promise<{ loadModel(options: object): Promise<LlamaVocabulary>; llamaCppRelease: { release: string } }>;
}

/** llama.cpp from a folder outside the repository (its 60 MB stay out of our tree). */
export async function openLlama(folder: string) {
  const entry = createRequire(join(resolve(folder), 'package.json')).resolve('node-llama-cpp');
  const { getLlama } = (await import(pathToFileURL(entry).href)) as LlamaModule;
  const llama = await getLlama({ gpu: false, build: 'never', logLevel: 'error' });
  return {
    source: { program: 'llama.cpp', release: llama.llamaCppRelease.release, binding: 'node-llama-cpp 3.22.1' },
    load: async (modelPath: string) => await llama.loadModel({ modelPath: resolve(modelPath), vocabOnly: true }),
  };
}
