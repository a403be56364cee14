import type { Context } from '../context.ts';
import { type ExitCode, exitCode } from '../exit-code.ts';
import { explain } from '../fault.ts';
import { limits } from '../limits.ts';
import { after } from '../platform/clock.ts';
import { aborted, listenForStop, onAbort } from '../platform/stop-signals.ts';

/** A worker or gateway that serves until its `signal` is aborted. */
export interface Running {
  readonly url: string;
  readonly nodeId?: string;
  readonly stop: () => Promise<void>;
  /** Rejects when the role had to stop by itself. */
  readonly closed?: Promise<void>;
}

/**
 * Runs one role in this process until SIGTERM, Ctrl-C, or the end of the parent that started us over an IPC channel.
 * Says `ready` to that parent, or one line on stdout when there is none.
 */
export async function runRole(context: Context, start: (signal: AbortSignal) => Promise<Running>): Promise<ExitCode> {
  using stop = listenForStop();
  const parentGone = new AbortController();
  const onDisconnect = (): void => parentGone.abort();
  process.once('disconnect', onDisconnect);
  const signal = AbortSignal.any([stop.signal, parentGone.signal]);
  const tell = (message: Readonly<Record<string, unknown>>): void => void (process.connected && process.send?.(message));
  let started = false;
  // nothing may keep a role alive whose owner is gone; one that is still starting has nothing to finish
  using _end = onAbort(signal, () => void after(started ? limits.processStop : limits.startStop, () => process.exit(exitCode.failed)));
  try {
    const role = await start(signal);
    started = true;
    tell({ type: 'ready', url: role.url, ...(role.nodeId !== undefined && { nodeId: role.nodeId }) });
    if (!process.connected) context.streams.out(`ready ${role.url}\n`);
    await Promise.race([aborted(signal), ...(role.closed === undefined ? [] : [role.closed])]);
    await role.stop();
    return exitCode.ok;
  } catch (error) {
    if (signal.aborted) return exitCode.ok;
    tell({ type: 'failed', message: explain(error).message });
    throw error;
  } finally {
    process.off('disconnect', onDisconnect);
    if (process.connected) process.disconnect();
  }
}
