import { CommonweightError } from '@commonweight/protocol';
import { limits } from '../limits.ts';
import { now, pause } from '../platform/clock.ts';
import { Backoff } from './backoff.ts';
import { type ReadyMessage, type RoleCommand, RoleProcess } from './role-process.ts';

export interface RoleEvents {
  readonly onReady: (ready: ReadyMessage, first: boolean, pid: number | undefined) => void;
  readonly onCrash: (how: string, restartInMilliseconds: number | undefined) => void;
}

/** Keeps one role running: starts it again after a crash, with pauses that grow, until it is stopped or given up. */
export class SupervisedRole {
  readonly #command: () => RoleCommand;
  readonly #events: RoleEvents;
  readonly #stop = new AbortController();
  #process: RoleProcess | undefined;
  #watching: Promise<void> = Promise.resolve();

  /** `command` is asked at every start, so that a restart can use what the first start found out (a port). */
  constructor(command: () => RoleCommand, events: RoleEvents) {
    this.#command = command;
    this.#events = events;
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** Resolves when the role serves for the first time. */
  async start(): Promise<ReadyMessage> {
    for (let attempt = 1; ; attempt++) {
      const role = this.#spawn();
      try {
        const ready = await role.ready;
        this.#events.onReady(ready, true, role.pid);
        this.#watching = this.#watch(role);
        return ready;
      } catch (error) {
        await role.stop();
        if (attempt >= limits.startAttempts || this.#stop.signal.aborted) throw error;
        await pause(limits.restartFirst, this.#stop.signal);
      }
    }
  }

  #spawn(): RoleProcess {
    if (this.#stop.signal.aborted) throw new CommonweightError('the network is being stopped', { code: 'stopping', action: 'stop' });
    this.#process = new RoleProcess(this.#command());
    return this.#process;
  }

  async #watch(first: RoleProcess): Promise<void> {
    const backoff = new Backoff();
    for (let role = first; ; role = this.#spawn()) {
      const started = now();
      if (role !== first) void role.ready.then((ready) => this.#events.onReady(ready, false, role.pid)).catch(() => role.kill('SIGKILL'));
      const how = await role.ended;
      if (this.#stop.signal.aborted) return;
      const wait = backoff.next(now() - started);
      this.#events.onCrash(how, wait);
      if (wait === undefined) return;
      await pause(wait, this.#stop.signal);
      if (this.#stop.signal.aborted) return;
    }
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#process?.stop();
    await this.#watching;
  }

  /** SIGKILL, without waiting. */
  kill(): void {
    this.#stop.abort();
    this.#process?.kill('SIGKILL');
  }
}
