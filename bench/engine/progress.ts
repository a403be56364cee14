import process from 'node:process';

const EVERY_MS = 2000;

/** Says on stderr what happens; lines about bytes come at most every other second. */
export interface Progress {
  readonly line: (text: string) => void;
  readonly bytes: (what: string, done: number, total: number | undefined) => void;
}

export function createProgress(): Progress {
  let last = -EVERY_MS;
  const started = performance.now();
  const line = (text: string): void => {
    process.stderr.write(`[${((performance.now() - started) / 1000).toFixed(0).padStart(4)} s] ${text}\n`);
  };
  return {
    line,
    bytes(what, done, total) {
      if (performance.now() - last < EVERY_MS) return;
      last = performance.now();
      line(`${what} ${(done / 1e6).toFixed(0)}${total === undefined ? '' : ` of ${(total / 1e6).toFixed(0)}`} MB`);
    },
  };
}
