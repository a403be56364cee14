import { execFile } from 'node:child_process';
import { readFile, readdir } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

interface RunningProcess {
  readonly pid: number;
  /** Program and arguments, joined by spaces, with a space at the end. */
  readonly command: string;
}

/** A process that ended while we looked has no command line: that is an answer, not a failure. */
const readCommand = (pid: string): Promise<string> => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');

async function runningProcesses(): Promise<RunningProcess[]> {
  if (process.platform === 'linux') {
    const ids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
    return Promise.all(ids.map(async (pid) => ({ pid: Number(pid), command: (await readCommand(pid)).replaceAll('\0', ' ') })));
  }
  const { stdout } = await run('ps', ['-axww', '-o', 'pid=,command='], { maxBuffer: 16 << 20 });
  return stdout.split('\n').flatMap((line) => {
    const [, pid, command] = /^\s*(\d+)\s+(.*)$/.exec(line) ?? [];
    return pid === undefined ? [] : [{ pid: Number(pid), command: `${command} ` }];
  });
}

/** Ids of running processes whose command line holds every mark. Ids are reused by the system: never signal one that was not just found so. */
export async function findProcesses(marks: readonly string[]): Promise<number[]> {
  const all = await runningProcesses();
  return all.filter(({ command }) => marks.every((mark) => command.includes(mark))).map(({ pid }) => pid);
}

/** Sends SIGKILL; a process that is gone already is what the caller wants. */
export function killProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
