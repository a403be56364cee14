import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { expect, test } from 'vitest';

test('can be packed for a browser: nothing of it needs Node', async () => {
  const entry = fileURLToPath(new URL('index.ts', import.meta.url));
  // a module of Node's would be an error here, and nothing is left to be found at run time
  const { outputFiles, metafile } = await build({
    entryPoints: [entry],
    bundle: true,
    minify: true,
    platform: 'browser',
    format: 'esm',
    write: false,
    metafile: true,
    logLevel: 'silent',
  });
  const [output] = Object.values(metafile.outputs);
  expect([output!.imports, output!.exports.includes('CommonweightClient')]).toEqual([[], true]);
  expect(outputFiles[0]!.contents.length).toBeLessThan(400_000);
});
