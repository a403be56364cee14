import { createWasmExecutor } from '@commonweight/engine';
import { loadEngineWasm } from '@commonweight/engine/node';
import { openPackage } from '@commonweight/models';
import { addPosition, noFigures } from './compare.ts';
import { loadFloat } from '@commonweight/testkit';

/** One process: takes windows of ids, answers with their figures. Both models are loaded once. */
const [gguf, packageDir] = process.argv.slice(2);
if (!gguf || !packageDir || !process.send) throw new Error('this file is run by main.ts');
const opened = await openPackage(packageDir);
const executor = createWasmExecutor(opened.manifest, opened.weights(), loadEngineWasm());
const float = loadFloat(gguf);

process.on('message', (ids: number[]) => {
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
  process.send!(figures);
});
process.send!('ready');
