import { existsSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';

/** What a network runs as processes and threads, by the compiler's output. Names of files are kept: processes are found by them. */
const PROGRAMS = ['cli/dist/index.js', 'chain/dist/guard-main.js', 'node/dist/worker/engine-thread.js', 'models/dist/chat/render-main.js'];
const OUTPUT = 'cli/dist/packed';

/** CommonJS packages inside an ES module need a `require` for what Node brings along. */
const banner = "import { createRequire as requireOf } from 'node:module';\nconst require = requireOf(import.meta.url);";

/**
 * Packs every program of a network with all that it imports into a few files under `packages/cli/dist/packed`: opening and linking hundreds of modules costs five
 * processes and three threads more than a second together. Without this step the compiler's output runs, only slower (packages/cli/bin/program.js chooses).
 */
export async function packPrograms(root) {
  // loaded here, because a first `npm start` reads this file before anything is installed
  const { build } = await import('esbuild');
  const packages = join(root, 'packages');
  const outdir = join(packages, OUTPUT);
  const programs = PROGRAMS.map((path) => join(packages, path));
  await rm(outdir, { recursive: true, force: true });
  await build({
    entryPoints: programs,
    outdir,
    entryNames: '[name]',
    chunkNames: '[name]-[hash]',
    bundle: true,
    splitting: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    banner: { js: banner },
    legalComments: 'eof',
    logLevel: 'error',
    plugins: [keepLocations(packages, outdir, programs)],
  });
}

/** A module goes on finding the files beside it, and the programs that it starts are the packed ones. */
function keepLocations(packages, outdir, programs) {
  const url = (path) => `./${relative(outdir, path).split(sep).join('/')}`;
  return {
    name: 'keep-locations',
    setup(context) {
      context.onLoad({ filter: /\.js$/ }, async ({ path }) => {
        if (!path.startsWith(packages) || path.includes('node_modules')) return undefined;
        const text = await readFile(path, 'utf8');
        const located = text.replaceAll(/new URL\('(\.[^']+)', import\.meta\.url\)|import\.meta\.url/g, (_, target) => {
          if (target === undefined) return `new URL('${url(path)}', import.meta.url).href`;
          const file = resolve(dirname(path), target);
          if (!existsSync(file)) throw new Error(`${path} names ${file}, which is not there`);
          return `new URL('${programs.includes(file) ? `./${basename(file)}` : url(file)}', import.meta.url)`;
        });
        return { contents: located, loader: 'js' };
      });
    },
  };
}
