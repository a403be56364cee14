import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { HostInfo } from '../hosts/job.ts';
import type { ItemResult } from '../workload/run-item.ts';
import type { Run } from './backend.ts';

const STDERR_CHARACTERS = 4000;

/** Runs node-host.js: `command` is the program and what goes before the script. */
export function hostRun(command: readonly [string, ...string[]], cache: string, compiled: string): Run {
  const [program, ...before] = command;
  return async (job, onResult, signal) => {
    const folder = mkdtempSync(join(cache, 'job-'));
    try {
      const file = join(folder, 'job.json');
      writeFileSync(file, JSON.stringify(job));
      return await runHost(program, [...before, join(compiled, 'hosts/node-host.js'), file], onResult, signal);
    } finally {
      rmSync(folder, { recursive: true });
    }
  };
}

async function runHost(
  program: string,
  args: readonly string[],
  onResult: (result: ItemResult) => void,
  signal: AbortSignal,
): Promise<HostInfo> {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], signal });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-STDERR_CHARACTERS);
  });
  const closed = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  let info: HostInfo | undefined;
  createInterface({ input: child.stdout }).on('line', (line) => {
    const value = JSON.parse(line) as ItemResult | HostInfo;
    if ('info' in value) info = value;
    else onResult(value);
  });
  const code = await closed;
  if (code !== 0 || info === undefined) throw new Error(`${program} ended with ${code ?? 'a signal'}: ${stderr.trim()}`);
  return info;
}
