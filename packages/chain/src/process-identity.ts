import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Command line of a running process; undefined when there is none with this id (a zombie counts as none). */
async function commandLine(pid: number): Promise<string | undefined> {
  try {
    if (process.platform === 'linux') return (await readFile(`/proc/${pid}/cmdline`, 'utf8')).replaceAll('\0', ' ') || undefined;
    return (await run('ps', ['-ww', '-o', 'command=', '-p', String(pid)])).stdout.trim() || undefined;
  } catch {
    // no such file, or ps found no process: both mean that nothing runs under this id
    return undefined;
  }
}

/** Whether `pid` runs and its command line holds every one of `marks`. Ids are reused: never signal one without this. */
export async function isProcess(pid: number, marks: readonly string[]): Promise<boolean> {
  const line = await commandLine(pid);
  return line !== undefined && marks.every((mark) => line.includes(mark));
}

/** Sends SIGKILL; a process that is gone already is what the caller wants. */
export function killProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
