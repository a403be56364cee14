import { spawn } from 'node:child_process';
import process from 'node:process';

const TAIL_CHARACTERS = 20_000;

/** Runs a program directly (no shell), keeps the end of what it prints. Rejects only when it cannot be started. */
export function capture(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    let tail = '';
    const keep = (chunk) => {
      tail = (tail + chunk).slice(-TAIL_CHARACTERS);
    };
    child.stdout.setEncoding('utf8').on('data', keep);
    child.stderr.setEncoding('utf8').on('data', keep);
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code: code ?? 1, signal, tail }));
  });
}

/** Runs a program on this terminal; resolves with its exit code. */
export function show(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: 'inherit', ...options });
    child.once('error', reject);
    child.once('close', (code) => resolve(code ?? 1));
  });
}

/** How to run npm without a shell: inside `npm start` npm says where it is, elsewhere it is on the path. */
export function npmCommand(args) {
  const script = process.env.npm_execpath;
  if (script !== undefined && /npm-cli\.[cm]?js$/u.test(script)) return { command: process.execPath, args: [script, ...args], options: {} };
  const windows = process.platform === 'win32';
  return { command: windows ? 'npm.cmd' : 'npm', args, options: { shell: windows } };
}
