import { availableParallelism } from 'node:os';
import { limits } from '../limits.ts';

/** One a processor. */
export const defaultThreads = (): number => Math.min(availableParallelism(), limits.threads);
