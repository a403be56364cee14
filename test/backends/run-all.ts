import { availableParallelism } from 'node:os';
import { type BackEnd, type Context, HostFailed, Missing, Unsuited } from './backends/backend.ts';
import type { Results } from './compare.ts';
import type { Item } from './workload/plan.ts';

/** Hosts beside each other. */
const PARALLEL_LIMIT = 4;

export interface RunOptions {
  readonly items: readonly Item[];
  readonly realModel: string | undefined;
  readonly breakBackEnd: string | undefined;
  readonly context: Context;
  readonly signal: AbortSignal;
  readonly onProgress: (backEnd: string, done: number, total: number) => void;
}

export interface MissingBackEnd {
  readonly name: string;
  readonly reason: string;
  /** It could be installed, so CI must have it. */
  readonly installable: boolean;
}

export interface Outcome {
  /** By back end, in the order of the registry. */
  readonly results: ReadonlyMap<string, Results>;
  readonly missing: readonly MissingBackEnd[];
}

/** Runs every back end on all items, as many at a time as there are processors. The first that fails ends all. */
export async function runAll(backEnds: readonly BackEnd[], options: RunOptions): Promise<Outcome> {
  const missing: MissingBackEnd[] = [];
  const prepared: { backEnd: BackEnd; results: Map<string, string | null>; run: Awaited<ReturnType<BackEnd['prepare']>> }[] = [];
  for (const backEnd of backEnds) {
    try {
      prepared.push({ backEnd, results: new Map(), run: await backEnd.prepare(options.context) });
    } catch (error) {
      if (!(error instanceof Missing)) throw error;
      missing.push({ name: backEnd.name, reason: error.message, installable: !(error instanceof Unsuited) });
    }
  }
  const failure = new AbortController();
  const signal = AbortSignal.any([options.signal, failure.signal]);
  const queue = prepared.toSorted((a, b) => Number(b.backEnd.slow ?? false) - Number(a.backEnd.slow ?? false));
  const drain = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      signal.throwIfAborted();
      await runOne(next, options, signal);
    }
  };
  const lanes = Array.from({ length: Math.min(PARALLEL_LIMIT, availableParallelism()) }, async () => {
    try {
      await drain();
    } catch (error) {
      failure.abort(error);
      throw error;
    }
  });
  await Promise.allSettled(lanes); // so that no host outlives this call
  signal.throwIfAborted();
  return { results: new Map(prepared.map(({ backEnd, results }) => [backEnd.name, results])), missing };
}

async function runOne(
  { backEnd, results, run }: { backEnd: BackEnd; results: Map<string, string | null>; run: Awaited<ReturnType<BackEnd['prepare']>> },
  { items, realModel, breakBackEnd, context, onProgress }: RunOptions,
  signal: AbortSignal,
): Promise<void> {
  const job = {
    ...backEnd.engine,
    broken: backEnd.name === breakBackEnd,
    ...(realModel === undefined ? {} : { realModel }),
    items,
  };
  const onResult = ({ id, digest }: { id: string; digest: string | null }): void => {
    results.set(id, digest);
    onProgress(backEnd.name, results.size, items.length);
  };
  const started = performance.now();
  try {
    const { info } = await run(job, onResult, signal);
    context.log(`${backEnd.name}: ${info}, ${((performance.now() - started) / 1000).toFixed(0)} s`);
  } catch (cause) {
    throw new HostFailed(`${backEnd.name}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}
