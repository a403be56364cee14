import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { CommonweightError } from '@commonweight/protocol';
import { limits } from './limits.ts';

export interface RoleCommand {
  /** For messages. */
  readonly name: string;
  /** Script and arguments for this Node. */
  readonly args: readonly string[];
  /** Gets stdout and stderr. */
  readonly logFile: string;
}

/** A worker or gateway that serves, as a process of its own. It ends by itself when this process dies. */
export interface RoleProcess extends AsyncDisposable {
  readonly url: string;
  readonly nodeId: string | undefined;
  readonly pid: number;
  /** SIGTERM, then SIGKILL after a bounded time. */
  readonly stop: () => Promise<void>;
}

type Message =
  | { readonly type: 'ready'; readonly url: string; readonly nodeId?: string }
  | { readonly type: 'failed'; readonly message: string };

/** Starts a role and waits until it serves. Throws with the end of its log when it does not. */
export async function spawnRole({ name, args, logFile }: RoleCommand): Promise<RoleProcess> {
  const log = openSync(logFile, 'a', 0o600);
  const child = spawn(process.execPath, [...args], { stdio: ['ignore', log, log, 'ipc'] });
  closeSync(log);
  const ended = new Promise<string>((resolve) => {
    child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`));
    child.once('error', (error) => resolve(error.message));
  });
  const stop = (): Promise<void> => stopChild(child, ended);
  const message = await Promise.race([firstMessage(child), ended]);
  if (typeof message === 'string' || message.type !== 'ready') {
    await stop();
    const why = typeof message === 'string' ? message : message.message;
    throw new CommonweightError(`${name} did not start: ${why}\n${readFileSync(logFile, 'utf8').slice(-limits.logTail)}`, {
      code: 'role_failed',
      action: 'stop',
    });
  }
  return { url: message.url, nodeId: message.nodeId, pid: child.pid!, stop, [Symbol.asyncDispose]: stop };
}

async function firstMessage(child: ChildProcess): Promise<Message> {
  const late = AbortSignal.timeout(limits.roleReadyMs);
  try {
    const [message] = (await once(child, 'message', { signal: late })) as [Message];
    return message;
  } catch (cause) {
    if (late.aborted) return { type: 'failed', message: `not ready after ${limits.roleReadyMs} ms` };
    throw cause;
  }
}

async function stopChild(child: ChildProcess, ended: Promise<string>): Promise<void> {
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), limits.roleStopMs);
  await ended;
  clearTimeout(timer);
}
