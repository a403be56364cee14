import type { Writable } from 'node:stream';
import { limits } from './limits.ts';
import { now } from './platform/clock.ts';

/** Where a command writes; tests hand in their own. */
export interface Streams {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** Whether `err` is a terminal, so that a line may be redrawn. */
  readonly terminal: boolean;
}

/**
 * Writes to `stream` as long as somebody reads it. Ctrl-C on `npm start | tee log` ends the reader first:
 * that must not break the clean stop of what we started.
 */
export function writeWhileRead(stream: Writable): (text: string) => void {
  let readerGone = false;
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    readerGone = true;
  });
  return (text) => {
    if (!readerGone) stream.write(text);
  };
}

export const processStreams = (): Streams => ({
  out: writeWhileRead(process.stdout),
  err: writeWhileRead(process.stderr),
  terminal: process.stderr.isTTY === true,
});

/** Reports what a command does: with `json` one event a line on stdout, otherwise text; progress goes to stderr. */
export interface Output {
  readonly json: boolean;
  /** A machine-readable event; silent without `json`. */
  readonly event: (name: string, fields?: Readonly<Record<string, unknown>>) => void;
  /** The command's result for humans, on stdout; silent with `json`. */
  readonly print: (text: string) => void;
  /** A remark for humans, on stderr; silent with `json`. */
  readonly note: (text: string) => void;
  /** A moving figure: redrawn on a terminal, a line every few seconds elsewhere. */
  readonly progress: (name: string, text: string, fields: Readonly<Record<string, unknown>>) => void;
}

export function createOutput(streams: Streams, json: boolean): Output {
  let drawing = false;
  let lastLine = -Infinity;
  const endDrawing = (): void => {
    if (drawing) streams.err('\n');
    drawing = false;
  };
  const event: Output['event'] = (name, fields = {}) => {
    if (json) streams.out(`${JSON.stringify({ event: name, ...fields })}\n`);
  };
  return {
    json,
    event,
    print(text) {
      if (json) return;
      endDrawing();
      streams.out(`${text}\n`);
    },
    note(text) {
      if (json) return;
      endDrawing();
      streams.err(`${text}\n`);
    },
    progress(name, text, fields) {
      if (!json && streams.terminal) {
        streams.err(`\r\u001B[K${text}`);
        drawing = true;
        return;
      }
      const time = now();
      if (time - lastLine < limits.progressLine) return;
      lastLine = time;
      if (json) event(name, fields);
      else streams.err(`${text}\n`);
    },
  };
}

/** `[#######.............]` */
export function bar(done: number, total: number, width = 24): string {
  const filled = total > 0 ? Math.min(width, Math.floor((done / total) * width)) : 0;
  return `[${'#'.repeat(filled)}${'.'.repeat(width - filled)}]`;
}
