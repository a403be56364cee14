import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { temporaryTestFolder } from '../testing/temporary-folder.ts';
import { writeLargeCheckpoint } from '../testing/write-large-checkpoint.ts';

/** Bytes of peak memory that an import in a process of its own adds to what the process needs once the library is loaded. */
async function peakOfImport(path: string, outDir: string): Promise<number> {
  // Node runs compiled code only: the build beside the sources.
  const library = new URL('../../dist/index.js', import.meta.url).href;
  const program = `
    const { importModel } = await import(${JSON.stringify(library)});
    const before = process.resourceUsage().maxRSS;
    await importModel(${JSON.stringify({ path, outDir })});
    console.log((process.resourceUsage().maxRSS - before) * 1024);`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', program]);
  return Number(stdout);
}

it('importing 300 MB adds less than 300 MB of memory: the weights stream through', { timeout: 120_000 }, async () => {
  const folder = await temporaryTestFolder();
  const bytes = await writeLargeCheckpoint(join(folder, 'large'), 300);
  expect(bytes).toBeGreaterThan(260e6);
  const peak = await peakOfImport(join(folder, 'large'), join(folder, 'models'));
  expect(peak).toBeGreaterThan(1e6);
  expect(peak).toBeLessThan(300e6);
});
