import { createWasmExecutor } from '@commonweight/engine';
import { loadEngineWasm } from '@commonweight/engine/node';
import { openPackage } from '@commonweight/models';
import type { ProfileName } from './profiles.ts';
import { llamaSubject } from './llama-subject.ts';

/** What is compared with the float model. */
export interface SubjectSpec {
  /** Row of the table: see profiles.ts. */
  readonly name: ProfileName;
  readonly kind: 'engine' | 'llama';
  /** Folder of a package, or a GGUF file. */
  readonly path: string;
  /** Changes whenever the figures could: weights and graph, or digest of the file and version of llama.cpp. */
  readonly identity: string;
  /** File to import node-llama-cpp from. */
  readonly llama?: string;
}

/** `logits` times `unit` are the model's logits after `position`. */
export type OnLogits = (position: number, logits: Float32Array | Int32Array, unit: number) => void;

/** A loaded model: gives the logits of every position of one window. */
export type Subject = (ids: readonly number[], onLogits: OnLogits) => Promise<void>;

export function loadSubject(spec: SubjectSpec): Promise<Subject> {
  return spec.kind === 'engine' ? engineSubject(spec.path) : llamaSubject(spec.path, spec.llama!);
}

async function engineSubject(dir: string): Promise<Subject> {
  const { manifest, weights } = await openPackage(dir);
  const executor = createWasmExecutor(manifest, weights(), loadEngineWasm());
  return async (ids, onLogits) => {
    const sequence = executor.newSequence(ids.length);
    try {
      executor.forward(sequence, ids, { logitsFrom: 0, onLogits: (position, logits) => onLogits(position, logits, 2 ** -16) });
    } finally {
      sequence.release();
    }
  };
}
