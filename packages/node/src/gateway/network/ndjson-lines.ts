import { NodeFailure } from './node-failure.ts';

const NEWLINE = 0x0a;

export interface LineLimits {
  /** Bytes of a line. */
  readonly short: number;
  /** Bytes of a line that begins with `longStart`. */
  readonly long: number;
  readonly longStart: Uint8Array;
}

/**
 * Cuts bytes into lines. A line over its limit fails before it is held in memory.
 *
 * @throws NodeFailure (`malformed`) on a line over the limit and on bytes that are not UTF-8, (`unreachable`) on an end inside a line.
 */
export async function* ndjsonLines(chunks: AsyncIterable<Uint8Array>, limits: LineLimits): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let parts: Uint8Array[] = [];
  let length = 0;
  let long = false;
  const add = (bytes: Uint8Array): void => {
    parts.push(bytes);
    length += bytes.length;
    if (length <= limits.short) return;
    // decided once a line; the short limit is longer than the start, so the start is there
    long ||= startsWith(parts, limits.longStart);
    const limit = long ? limits.long : limits.short;
    if (length > limit) throw new NodeFailure('malformed', `the node sent a line of more than ${limit} bytes`);
  };
  const take = (): string => {
    const bytes = Buffer.concat(parts);
    parts = [];
    length = 0;
    long = false;
    try {
      return decoder.decode(bytes);
    } catch (cause) {
      throw new NodeFailure('malformed', 'the node sent bytes that are no UTF-8 text', cause);
    }
  };
  for await (const chunk of chunks) {
    let from = 0;
    for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, from)) {
      add(chunk.subarray(from, at));
      yield take();
      from = at + 1;
    }
    if (from < chunk.length) add(chunk.subarray(from));
  }
  if (length > 0) throw new NodeFailure('unreachable', 'the connection ended in the middle of a line');
}

function startsWith(parts: readonly Uint8Array[], start: Uint8Array): boolean {
  let at = 0;
  for (const part of parts) {
    for (const byte of part) {
      if (at === start.length) return true;
      if (byte !== start[at++]) return false;
    }
  }
  return at === start.length;
}
