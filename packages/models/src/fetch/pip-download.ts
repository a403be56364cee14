import { spawn } from 'node:child_process';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileError } from '../file-errors.ts';
import { limits } from '../limits.ts';
import { after, every } from '../platform/timers.ts';
import { SourceError } from './source-error.ts';

const WATCH_MILLISECONDS = 500;

/** Ways to call pip, in the order in which they are tried. */
export const pipCommands: readonly (readonly [program: string, ...args: string[]])[] = [['pip'], ['pip3'], ['python3', '-m', 'pip']];

export interface PipOptions {
  readonly requirement: string;
  /** An empty folder: the wheel comes to lie in it; pip's own temporary files too, whose growth is the progress. */
  readonly folder: string;
  readonly commands: readonly (readonly [program: string, ...args: string[]])[];
  readonly onBytes: (done: number) => void;
  readonly signal?: AbortSignal;
}

/**
 * `pip download --no-deps` with the user's own configuration (index, proxy, certificates). Only wheels: nothing is built, no code of the
 * package runs. Returns the wheel's path; throws {@link SourceError}, or `file` when the disk is full.
 */
export async function pipDownload(options: PipOptions): Promise<string> {
  const args = ['download', '--no-deps', '--only-binary=:all:', '--no-input', '--disable-pip-version-check', '--progress-bar=off'];
  const network = ['--retries=1', '--timeout=8'];
  for (const [program, ...before] of options.commands) {
    const outcome = await runWatched(program, [...before, ...args, ...network, '-d', options.folder, options.requirement], options);
    if (outcome === 'missing') continue;
    if (outcome === 'full')
      throw fileError(Object.assign(new Error('pip: no space left on device'), { code: 'ENOSPC' }), `downloading to ${options.folder}`);
    if (outcome !== 'done') throw new SourceError('pip', outcome);
    const wheel = (await readdir(options.folder)).find((name) => name.endsWith('.whl'));
    if (wheel === undefined) throw new SourceError('pip', 'finished without a wheel');
    return join(options.folder, wheel);
  }
  throw new SourceError('pip', `not installed (tried ${options.commands.map((command) => command.join(' ')).join(', ')})`);
}

/** Runs pip; stops it when nothing grows for a while. Returns 'done', 'missing', 'full' (the disk), or why it failed. */
async function runWatched(program: string, args: readonly string[], { folder, onBytes, signal }: PipOptions): Promise<string> {
  let output = '';
  let stopped: string | undefined;
  const child = spawn(program, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, TMPDIR: folder, PIP_NO_PYTHON_VERSION_WARNING: '1' },
    ...(signal ? { signal } : {}),
  });
  const keep = (text: string): void => {
    output = (output + text).slice(-limits.programOutput);
  };
  child.stdout.setEncoding('utf8').on('data', keep);
  child.stderr.setEncoding('utf8').on('data', keep);

  const stop = (why: string): void => {
    stopped ??= why;
    child.kill('SIGKILL');
  };
  const endDeadline = after(limits.pipMilliseconds, () => stop(`not finished after ${limits.pipMilliseconds / 1000} s`));
  let silent = 0;
  let seen = '';
  const endWatch = every(WATCH_MILLISECONDS, () => {
    void largestUnder(folder).then((bytes) => {
      onBytes(bytes);
      const now = `${bytes} ${output.length}`;
      silent = now === seen ? silent + WATCH_MILLISECONDS : 0;
      seen = now;
      if (silent >= limits.pipSilenceMilliseconds) stop(`no byte for ${limits.pipSilenceMilliseconds / 1000} s`);
    });
  });
  try {
    return await new Promise<string>((resolve, reject) => {
      child.once('error', (error: NodeJS.ErrnoException) => {
        if (signal?.aborted) reject(error);
        else resolve(error.code === 'ENOENT' ? 'missing' : error.message);
      });
      child.once('close', (code) => {
        if (code === 0) resolve('done');
        else if (/No space left on device/.test(output)) resolve('full');
        else if (stopped === undefined && /No module named pip/.test(output)) resolve('missing');
        else resolve(stopped ?? reasonFrom(output, code));
      });
    });
  } finally {
    endDeadline();
    endWatch();
  }
}

/** pip's last line that starts with ERROR, else its last line. */
function reasonFrom(output: string, code: number | null): string {
  const lines = output.split('\n').filter((line) => line.trim() !== '');
  return (lines.findLast((line) => line.startsWith('ERROR:')) ?? lines.at(-1) ?? `exit code ${code}`).slice(0, 300);
}

/** Bytes of the largest file in a folder and its folders (pip keeps a second copy for a moment); what vanishes meanwhile counts nothing. */
async function largestUnder(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true }).catch(() => []);
  const sizes = await Promise.all(
    entries.map(async (name) =>
      stat(join(folder, name)).then(
        (found) => (found.isFile() ? found.size : 0),
        () => 0,
      ),
    ),
  );
  return Math.max(0, ...sizes);
}
