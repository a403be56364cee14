import { readFileSync } from 'node:fs';
import process from 'node:process';
import type { Answer, Contender, Numbers, Task } from './messages.ts';

export type RunTask = (task: Task) => Numbers | Promise<Numbers>;

/** Runs the contender named in the first argument, task by task as its parent asks, until that parent is gone. */
export async function serve<E extends Contender['engine']>(
  open: (contender: Contender & { readonly engine: E }) => Promise<{ readonly run: RunTask; readonly numbers: Numbers }>,
): Promise<void> {
  const answer = (value: Answer): void => void process.send!(value);
  const attempt = async (run: () => Numbers | Promise<Numbers>): Promise<void> => {
    try {
      answer({ numbers: await run() });
    } catch (error) {
      answer({ failed: error instanceof Error ? error.message : String(error) });
    }
  };
  let opened: { readonly run: RunTask; readonly numbers: Numbers } | undefined;
  await attempt(async () => {
    opened = await open(JSON.parse(process.argv[2]!) as Contender & { readonly engine: E });
    return opened.numbers;
  });
  process.on('disconnect', () => process.exit(0));
  process.on('message', (task: Task) => void attempt(() => opened!.run(task)));
}

/** Ids of a prompt that no text gave: every contender reads the same ones. */
export const promptIds = (count: number, vocabulary: number, stream = 0): number[] =>
  Array.from({ length: count }, (_, i) => 300 + (((i + 1) * 7919 + stream * 104_729) % (vocabulary - 300)));

/** Largest resident size of this process in bytes, as Linux counts it; NaN elsewhere. */
export function peakBytes(): number {
  try {
    return 1024 * Number(/VmHWM:\s+(\d+) kB/u.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]);
  } catch {
    return NaN;
  }
}
