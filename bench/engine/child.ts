import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Clock } from './options.ts';
import type { Answer, Contender, Numbers, Task } from './subjects/messages.ts';

/** What cannot be measured here, and why. */
export class Unavailable extends Error {}

export interface ChildOptions {
  /** Folder of the children's programs. */
  readonly compiled: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** A contender in a process of its own. It computes only while it is asked: never two at once. */
export class Child {
  readonly contender: Contender;
  /** What opening it measured. */
  readonly opened: Numbers;
  readonly #process: ChildProcess;

  private constructor(contender: Contender, process: ChildProcess, opened: Numbers) {
    this.contender = contender;
    this.#process = process;
    this.opened = opened;
  }

  /** Throws {@link Unavailable} when the contender refuses. */
  static async open(contender: Contender, { compiled, clock, signal }: ChildOptions): Promise<Child> {
    signal.throwIfAborted();
    const program = join(compiled, contender.engine === 'llama' ? 'llama-main.js' : 'ours-main.js');
    const child = fork(program, [JSON.stringify(contender), clock], {
      signal,
      execArgv: [],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    child.on('error', () => undefined); // an abort; whoever waits for an answer sees the exit
    try {
      return new Child(contender, child, await nextAnswer(child, signal));
    } catch (error) {
      child.kill('SIGKILL');
      throw error;
    }
  }

  async run(task: Task, signal: AbortSignal): Promise<Numbers> {
    this.#process.send(task);
    return await nextAnswer(this.#process, signal);
  }

  async close(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const exited = once(this.#process, 'exit');
    this.#process.kill('SIGKILL');
    await exited;
  }
}

async function nextAnswer(child: ChildProcess, signal: AbortSignal): Promise<Numbers> {
  const answer = await new Promise<Answer>((resolve, reject) => {
    const done = (run: () => void) => (): void => {
      child.off('message', onMessage);
      child.off('exit', onExit);
      run();
    };
    const onMessage = (message: unknown): void => done(() => resolve(message as Answer))();
    const onExit = (code: number | null, by: string | null): void =>
      done(() => reject(signal.aborted ? (signal.reason as Error) : new Error(`a child process ended with ${code ?? by}`)))();
    child.on('message', onMessage);
    child.on('exit', onExit);
  });
  if ('failed' in answer) throw new Unavailable(answer.failed);
  return answer.numbers;
}
