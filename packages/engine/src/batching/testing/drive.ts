import type { GenerationResult } from '../../generation-run.ts';
import type { BatchScheduler } from '../batch-scheduler.ts';
import type { BatchRunOptions } from '../batched-run.ts';

export interface Job {
  readonly options: BatchRunOptions;
  /** Steps after which the run is added, and after which it is told to stop. */
  readonly arrives: number;
  readonly stops?: number | undefined;
}

export interface End {
  readonly tokens: number[];
  readonly cached: number;
  readonly result: GenerationResult;
}

/** Runs jobs to their end, under their index; throws when one fails, ends twice, or the scheduler does not come to an end. */
export function drive(scheduler: BatchScheduler<number>, jobs: readonly Job[]): End[] {
  const ends: End[] = [];
  const tokens = jobs.map((): number[] => []);
  const cached = jobs.map(() => 0);
  const most = 1000;
  for (let step = 0; step < most; step++) {
    for (const [index, { options, arrives, stops }] of jobs.entries()) {
      if (arrives === step) scheduler.add(index, options);
      if (stops === step) scheduler.stop(index);
    }
    for (const event of scheduler.step()) {
      if (ends[event.run]) throw new Error(`${event.type} after the end of run ${event.run}`);
      if (event.type === 'token' && tokens[event.run]!.push(event.id) !== event.index + 1)
        throw new Error(`token ${event.index} is not the next one`);
      if (event.type === 'prefill') cached[event.run] = event.cached;
      if (event.type === 'failed') throw event.error;
      if (event.type === 'done') ends[event.run] = { tokens: tokens[event.run]!, cached: cached[event.run]!, result: event.result };
    }
    if (scheduler.idle && jobs.every(({ arrives }) => arrives <= step)) return ends;
  }
  throw new Error(`not at its end after ${most} steps`);
}
