import { parentPort, workerData } from 'node:worker_threads';
import { createWasmExecutor } from '@commonweight/engine';
import { loadEngineWasm } from '@commonweight/engine/node';
import { openPackage } from '@commonweight/models';
import { addPosition, noFigures } from './compare.ts';
import { loadFloat } from './load-float.ts';

/** One thread: takes windows of ids, answers with their figures. Both models are loaded once. */
const { gguf, packageDir } = workerData as { readonly gguf: string; readonly packageDir: string };
const opened = await openPackage(packageDir);
const executor = createWasmExecutor(opened.manifest, opened.weights(), loadEngineWasm());
const float = loadFloat(gguf);

parentPort!.on('message', (ids: number[]) => {
  const reference = float.forward(ids);
  const { vocabulary } = float.shape;
  const figures = noFigures();
  const sequence = executor.newSequence(ids.length);
  try {
    executor.forward(sequence, ids, {
      logitsFrom: 0,
      onLogits: (position, logits) =>
        addPosition(figures, reference.subarray(position * vocabulary, (position + 1) * vocabulary), logits, ids[position + 1]),
    });
  } finally {
    sequence.release();
  }
  parentPort!.postMessage(figures);
});
parentPort!.postMessage('ready');
