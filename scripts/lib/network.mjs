import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';

/** A `commonweight dev --json` that was started as a child; its events, and ways to end it. */
export class Network {
  events = [];
  #waiting = [];
  #stderr = '';

  constructor(command, args, options = {}) {
    this.child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
    this.child.stderr.setEncoding('utf8').on('data', (text) => {
      this.#stderr = (this.#stderr + text).slice(-20_000);
    });
    createInterface({ input: this.child.stdout }).on('line', (line) => this.#take(line));
    this.exited = once(this.child, 'close').then(([code, signal]) => {
      this.#waiting.forEach(({ reject }) => reject(new Error(`the network ended (${signal ?? code}): ${this.#stderr}`)));
      return signal ?? code;
    });
  }

  get stderr() {
    return this.#stderr;
  }

  #take(line) {
    const event = JSON.parse(line);
    this.events.push(event);
    this.#waiting = this.#waiting.filter(({ matches, resolve }) => {
      if (!matches(event)) return true;
      resolve(event);
      return false;
    });
  }

  /** The first event from now on (or, with `past`, of all) that matches. */
  event(matches, past = true) {
    const seen = past ? this.events.find(matches) : undefined;
    if (seen !== undefined) return Promise.resolve(seen);
    return new Promise((resolve, reject) => this.#waiting.push({ matches, resolve, reject }));
  }

  ready() {
    return this.event(({ event }) => event === 'ready');
  }

  /** Sends a signal; resolves with exit code or signal name. */
  stop(signal = 'SIGINT') {
    this.child.kill(signal);
    return this.exited;
  }

  /** What a terminal does at Ctrl-C: SIGINT to the whole group. For a network that was started with `detached: true`. */
  pressCtrlC() {
    if (this.child.pid === undefined) throw new Error('the network was never started');
    process.kill(-this.child.pid, 'SIGINT');
    return this.exited;
  }
}

/** Process ids whose command line or environment names `mark` (a data folder); Linux only, empty elsewhere. */
function processesOf(mark) {
  if (process.platform !== 'linux') return [];
  return readdirSync('/proc')
    .filter((name) => /^\d+$/u.test(name) && Number(name) !== process.pid)
    .filter((pid) => commandLine(pid).includes(mark))
    .map(Number);
}

function commandLine(pid) {
  try {
    return readFileSync(join('/proc', pid, 'cmdline'), 'utf8');
  } catch {
    // ended between the two looks
    return '';
  }
}

/** Resolves with what is left of `mark`'s processes: as soon as none is, or after `milliseconds`. */
export async function processesLeft(mark, milliseconds) {
  const end = Date.now() + milliseconds;
  let left = processesOf(mark);
  while (left.length > 0 && Date.now() < end) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    left = processesOf(mark);
  }
  return left;
}
