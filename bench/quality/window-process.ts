import { loadFloat } from '@commonweight/testkit';
import { addPosition, type Figures, noFigures } from './compare.ts';
import { loadSubject, type SubjectSpec } from './subject.ts';

/** One process: takes windows of ids, answers with the figures of every subject by its name. All models are loaded once. */
const [gguf, specs] = process.argv.slice(2);
if (!gguf || !specs || !process.send) throw new Error('this file is run by main.ts');
const subjects = await Promise.all(
  (JSON.parse(specs) as SubjectSpec[]).map(async (spec) => ({ name: spec.name, run: await loadSubject(spec) })),
);
const float = loadFloat(gguf);

async function compare(ids: readonly number[]): Promise<Record<string, Figures>> {
  const reference = float.forward(ids);
  const { vocabulary } = float.shape;
  const all: Record<string, Figures> = {};
  for (const { name, run } of subjects) {
    const figures = (all[name] = noFigures());
    await run(ids, (position, logits, unit) =>
      addPosition(figures, reference.subarray(position * vocabulary, (position + 1) * vocabulary), logits, unit, ids[position + 1]),
    );
    if (figures.positions !== ids.length) throw new Error(`${name}: expected ${ids.length} positions, got ${figures.positions}`);
  }
  return all;
}

process.on('message', (ids: number[]) => {
  compare(ids).then(
    (figures) => process.send!(figures),
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
});
process.on('disconnect', () => process.exit(0)); // llama.cpp keeps threads
process.send!('ready');
