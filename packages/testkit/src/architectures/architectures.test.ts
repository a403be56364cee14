import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createWasmExecutor } from '@commonweight/engine';
import { loadEngineWasm } from '@commonweight/engine/node';
import { importGguf, importSafetensors, memorySource, openPackage } from '@commonweight/models';
import { writeCheckpoint } from '@commonweight/models/testing';
import { fromBase64, type ModelId, sha256, toHex } from '@commonweight/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { floatModelOf } from '../float/load-float.ts';
import { type ArchitectureCase, architectureCases } from './architecture-cases.ts';
import { architectureCheckpoint } from './architecture-checkpoint.ts';
import { architectureGguf, architectureVocabulary } from './architecture-gguf.ts';
import { predictedError, scoreSpread } from './predicted-error.ts';

interface Vector {
  readonly gguf: string;
  readonly ids: readonly number[];
  readonly positions: readonly number[];
  /** positions x vocabulary float32. */
  readonly logits: string;
}

const engine = loadEngineWasm();
let folder = '';
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'architectures-'))));
afterAll(async () => await rm(folder, { recursive: true }));

const vectorOf = (name: string): Vector =>
  JSON.parse(readFileSync(new URL(`../../../../conformance/architectures/${name}.json`, import.meta.url), 'utf8')) as Vector;

function expectedLogits({ logits, positions }: Vector): Float32Array {
  const bytes = fromBase64(logits);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Float32Array.from({ length: positions.length * architectureVocabulary }, (_, i) => view.getFloat32(4 * i, true));
}

/** Logits of the vector's positions, one after the other. */
function pick(vector: Vector, row: (position: number) => ArrayLike<number>): Float64Array {
  return Float64Array.from(vector.positions.flatMap((position) => Array.from(row(position))));
}

function floatLogits(vector: Vector, gguf: Uint8Array): Float64Array {
  const all = floatModelOf(memorySource(gguf)).forward(vector.ids);
  return pick(vector, (position) => all.subarray(position * architectureVocabulary, (position + 1) * architectureVocabulary));
}

let files = 0;
async function importBytes(gguf: Uint8Array): Promise<{ readonly dir: string; readonly modelId: ModelId }> {
  const at = join(folder, `${files++}`);
  await writeFile(`${at}.gguf`, gguf);
  return await importGguf({ path: `${at}.gguf`, outDir: at });
}

async function integerLogits(vector: Vector, dir: string): Promise<Float64Array> {
  const model = await openPackage(dir);
  const rows: Float64Array[] = [];
  const executor = createWasmExecutor(model.manifest, model.weights(), engine);
  const sequence = executor.newSequence(vector.ids.length);
  executor.forward(sequence, vector.ids, {
    logitsFrom: 0,
    onLogits: (_, logits) => rows.push(Float64Array.from(logits, (logit) => logit / 65_536)),
  });
  sequence.release();
  await model.close();
  return pick(vector, (position) => rows[position]!);
}

const worst = (got: Float64Array, want: Float32Array): number =>
  got.reduce((most, value, i) => Math.max(most, Math.abs(value - want[i]!)), 0);

/** Root mean square of the difference, relative to what is wanted. */
const relative = (got: Float64Array, want: Float32Array): number =>
  Math.sqrt(got.reduce((sum, value, i) => sum + (value - want[i]!) ** 2, 0) / want.reduce((sum, value) => sum + value ** 2, 0));

describe.each(Object.entries(architectureCases))('%s', (name, model) => {
  const vector = vectorOf(name);
  const want = expectedLogits(vector);
  const limit = 1.5 * predictedError(model.layers, scoreSpread(model));

  it('is the file that llama.cpp ran', () => {
    expect(toHex(sha256(architectureGguf(model)))).toBe(vector.gguf);
  });

  it("our float path gives llama.cpp's logits within 1e-3", () => {
    expect(worst(floatLogits(vector, architectureGguf(model)), want)).toBeLessThan(1e-3);
  });

  it('the integer model stays within the error that SPEC.md predicts, and safetensors give the same package', async () => {
    const imported = await importBytes(architectureGguf(model));
    const error = relative(await integerLogits(vector, imported.dir), want);
    expect(error).toBeLessThan(limit);
    expect(error).toBeGreaterThan(limit / 10);
    await writeCheckpoint(join(folder, name), architectureCheckpoint(model));
    const other = await importSafetensors({ path: join(folder, name), outDir: join(folder, `${name}-packages`) });
    expect(other.modelId).toBe(imported.modelId);
  });

  it.each(mutantsOf(model))('%s is noticed by both paths', async (_, mutant, permutes) => {
    const gguf = architectureGguf(mutant, permutes);
    expect(worst(floatLogits(vector, gguf), want)).toBeGreaterThan(1e-2);
    expect(relative(await integerLogits(vector, (await importBytes(gguf)).dir), want)).toBeGreaterThan(limit);
  });
});

/** Models that differ in one property and share all weights. */
function mutantsOf(model: ArchitectureCase): [what: string, mutant: ArchitectureCase, permutes: boolean][] {
  const { scaling: _, ...unscaled } = model;
  const mutants: [string, ArchitectureCase, boolean][] = [['another RoPE base', { ...model, ropeBase: 2 * model.ropeBase }, true]];
  if (model.modelType === 'qwen2') mutants.push(['no biases', { ...model, modelType: 'llama' }, true]);
  if (model.modelType === 'qwen3') mutants.push(['no norms of heads', { ...model, modelType: 'llama' }, true]);
  if (model.modelType === 'llama' || model.modelType === 'mistral') mutants.push(['rows for the wrong pairing', model, false]);
  if (model.scaling) mutants.push(['no RoPE scaling', unscaled, true]);
  if (model.scaling?.rope_type === 'yarn')
    mutants.push(['linear scaling', { ...model, scaling: { rope_type: 'linear', factor: model.scaling.factor } }, true]);
  return mutants;
}
