import { statSync } from 'node:fs';

const PACKAGES = ['protocol', 'engine', 'models', 'chain', 'verifier', 'node', 'cli'];
const timeOf = (path) => statSync(new URL(path, import.meta.url), { throwIfNoEntry: false })?.mtimeMs;

/** The packed program (scripts/lib/pack.mjs) unless it is missing, or the compiler has written something since; then the compiler's output. */
export function isPacked() {
  const packed = timeOf('../dist/packed/index.js');
  return packed !== undefined && PACKAGES.every((name) => (timeOf(`../../${name}/dist/.tsbuildinfo`) ?? 0) <= packed);
}

export const programUrl = () => new URL(isPacked() ? '../dist/packed/index.js' : '../dist/index.js', import.meta.url).href;
