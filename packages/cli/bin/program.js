import { statSync } from 'node:fs';

const PACKAGES = ['protocol', 'engine', 'models', 'chain', 'verifier', 'node', 'cli'];

/** Whether the packed program (scripts/lib/pack.mjs) is there and the compiler has written nothing since. `here` is this file, or another place for tests. */
export function isPacked(here = import.meta.url) {
  const timeOf = (path) => statSync(new URL(path, here), { throwIfNoEntry: false })?.mtimeMs;
  const packed = timeOf('../dist/packed/index.js');
  return packed !== undefined && PACKAGES.every((name) => (timeOf(`../../${name}/dist/.tsbuildinfo`) ?? 0) <= packed);
}

/** The module to run: the packed program, else the compiler's output. */
export const programUrl = (here = import.meta.url) => new URL(isPacked(here) ? '../dist/packed/index.js' : '../dist/index.js', here).href;
