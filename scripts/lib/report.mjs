import process from 'node:process';

/** A failure that is told in one sentence; everything else is a bug and keeps its stack trace. */
export class Stop extends Error {}

/**
 * Says what happens: one JSON event a line on stdout with `json`, otherwise text on stderr, where a terminal gets a line that is redrawn
 * and anything else a new line every few seconds.
 */
export function createReport(json) {
  const terminal = process.stderr.isTTY === true;
  let open = false;
  let lastPlain = 0;
  const closeLine = () => {
    if (open) process.stderr.write('\n');
    open = false;
  };
  return {
    json,
    event(event, fields = {}) {
      if (json) process.stdout.write(`${JSON.stringify({ event, ...fields })}\n`);
    },
    line(text) {
      if (json) return;
      closeLine();
      process.stderr.write(`${text}\n`);
    },
    progress(event, text, fields) {
      const now = Date.now();
      if (terminal && !json) {
        process.stderr.write(`\r\u001B[K${text}`);
        open = true;
        return;
      }
      if (now - lastPlain < 3000) return;
      lastPlain = now;
      if (json) this.event(event, fields);
      else process.stderr.write(`${text}\n`);
    },
    done: closeLine,
  };
}
