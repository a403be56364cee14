import { readFileSync } from 'node:fs';
import { limits } from '../limits.ts';

/** Parent of a process by Linux' /proc; undefined elsewhere, and when it has ended. */
function parentOf(pid: number): number | undefined {
  try {
    return Number(readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ').at(-1)?.split(' ')[1]);
  } catch {
    // no /proc on this system, or no such process: both mean that nothing is known
    return undefined;
  }
}

function isShell(pid: number): boolean {
  try {
    return /(?:^|\/)(?:ba|da|z|k)?sh\0-c\0/u.test(readFileSync(`/proc/${pid}/cmdline`, 'utf8'));
  } catch {
    // as above
    return false;
  }
}

/** Who started us: our parent, and behind the shell that npm puts in between, npm itself. */
const ancestors = (shellBetween: boolean): string => `${process.ppid} ${shellBetween ? parentOf(process.ppid) : ''}`;

/** Calls `gone` once when the process that started us is dead: what it leaves behind is given another parent. */
export function watchParent(gone: () => void): Disposable {
  const shellBetween = isShell(process.ppid);
  const first = ancestors(shellBetween);
  const timer = setInterval(() => {
    if (ancestors(shellBetween) === first) return;
    clearInterval(timer);
    gone();
  }, limits.parentPoll);
  timer.unref();
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
