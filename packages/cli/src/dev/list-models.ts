import { openPackage } from '@commonweight/models';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Output } from '../output.ts';
import type { Layout } from './layout.ts';

/** Prints the packages of a data folder; each is checked as it is opened. */
export async function listModels(folders: Layout, output: Output): Promise<void> {
  const ids = existsSync(folders.models) ? readdirSync(folders.models).filter((name) => /^0x[0-9a-f]{64}$/u.test(name)) : [];
  for (const id of ids) {
    const model = await openPackage(join(folders.models, id), id as `0x${string}`);
    const bytes = model.manifest.files.reduce((sum, { size }) => sum + size, 0);
    output.event('model', { id, name: model.card.name, bytes, dir: model.dir });
    output.print(`${model.card.name}  ${id}  ${(bytes / 2 ** 20).toFixed(0)} MiB  ${model.dir}`);
    await model.close();
  }
  if (ids.length === 0) output.note(`no model in ${folders.models}: commonweight model import default`);
}
