import { ensureDefaultModel, importGguf, type ImportedPackage, type Phase } from '@commonweight/models';
import { type Output, bar } from '../output.ts';
import type { Layout } from './layout.ts';

const words: Readonly<Record<Phase, string>> = {
  download: 'downloading the model',
  verify: 'checking the model file',
  import: 'converting the model',
};

const mebibytes = (bytes: number): string => (bytes / 2 ** 20).toFixed(0);

/** Shows the phases of getting a model: one line each, redrawn on a terminal. */
export function modelProgress(output: Output) {
  return (phase: Phase, done: number, total: number | undefined): void => {
    const amount = total === undefined ? `${mebibytes(done)} MiB` : `${bar(done, total)} ${mebibytes(done)}/${mebibytes(total)} MiB`;
    output.progress('model', `${words[phase]} ${amount}`, { phase, done, ...(total !== undefined && { total }) });
  };
}

export interface ModelOptions {
  /** A GGUF file; default: the default model, from wherever it can be had. */
  readonly path?: string | undefined;
  readonly layout: Layout;
  readonly output: Output;
  readonly signal?: AbortSignal;
}
