import { CommonweightError } from '@commonweight/protocol';
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { limits } from '../limits.ts';
import { after } from '../platform/clock.ts';

/** What a role sends over the IPC channel once it serves; a role that cannot start says why instead. */
export interface ReadyMessage {
  readonly type: 'ready';
  readonly url: string;
  readonly nodeId?: string;
}
type Message = ReadyMessage | { readonly type: 'failed'; readonly message: string };

export interface RoleCommand {
  /** For messages: `node 1`, `gateway`. */
  readonly name: string;
  /** Script and arguments for this Node. */
  readonly args: readonly string[];
  readonly logFile: string;
}

function withResolvers<T>(): { promise: Promise<T>; resolve: (value: T) => void; reject: (error: Error) => void } {
  let resolve!: (value: T) => void;
  let reject!: (error: Error) => void;
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}

/** One run of one role as a process of its own. It ends by itself when the IPC channel closes, that is when we die. */
export class RoleProcess {
  readonly command: RoleCommand;
  readonly #child: ChildProcess;
  readonly ready: Promise<ReadyMessage>;
  /** Resolves when the process has ended, with words for how. */
  readonly ended: Promise<string>;

  constructor(command: RoleCommand) {
    this.command = command;
    const log = openSync(command.logFile, 'a', 0o600);
    // a group of its own: Ctrl-C reaches us alone, and we end the roles in order
    this.#child = spawn(process.execPath, [...command.args], { stdio: ['ignore', log, log, 'ipc'], detached: true });
    closeSync(log);
    this.ended = new Promise((resolve) => {
      this.#child.once('exit', (code, signal) => resolve(signal === null ? `exit code ${code}` : signal));
      this.#child.once('error', (error) => resolve(error.message));
    });
    this.ready = this.#waitForReady();
    // whoever awaits `ready` gets the error; nobody does while the network is being stopped
    this.ready.catch(() => undefined);
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  async #waitForReady(): Promise<ReadyMessage> {
    const { name, logFile } = this.command;
    const fail = (why: string): CommonweightError =>
      new CommonweightError(`${name} did not start: ${why} Its log is ${logFile}.`, { code: 'role_failed', action: 'stop' });
    const { promise, resolve, reject } = withResolvers<Message>();
    using _late = after(limits.processReady, () => reject(fail(`it was not ready after ${limits.processReady / 1000} s.`)));
    this.#child.once('message', (value: Message) => resolve(value));
    void this.ended.then((how) => reject(fail(`it ended (${how}).`)));
    const message = await promise;
    if (message.type !== 'ready') throw fail(message.message);
    return message;
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** SIGTERM, then SIGKILL after a bounded time. */
  async stop(): Promise<void> {
    this.kill('SIGTERM');
    using _late = after(limits.processStop, () => this.kill('SIGKILL'));
    await this.ended;
  }
}
