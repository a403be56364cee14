import { limits } from '../limits.ts';

/** Calls `gone` once when the process that started us is dead: a killed child process is given another parent. */
export function watchParent(gone: () => void): Disposable {
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    gone();
  }, limits.parentPoll);
  timer.unref();
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
