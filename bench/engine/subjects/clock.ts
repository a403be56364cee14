import process from 'node:process';

/** Milliseconds of processor time that this process has used, all threads together. */
function processorTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** The clock that the second argument of this process names. */
export const now: () => number = process.argv[3] === 'cpu' ? processorTime : () => performance.now();
