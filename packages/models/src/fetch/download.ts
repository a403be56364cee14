import { open, rm, stat } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { fileError } from '../file-errors.ts';
import { limits } from '../limits.ts';
import { getFollowing, type HttpTimeouts } from './http-get.ts';
import { SourceError } from './source-error.ts';

export interface DownloadOptions extends HttpTimeouts {
  readonly url: URL;
  /** Grows to `bytes`; what is there already is continued with a Range request. */
  readonly partPath: string;
  /** Size that the file must have. */
  readonly bytes: number;
  readonly onBytes: (done: number) => void;
  readonly signal?: AbortSignal;
}

/** Downloads until the file is complete; a cut connection is continued as long as each attempt brings bytes. Digests are the caller's. */
export async function download(options: DownloadOptions): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    const before = await sizeOf(options.partPath);
    if (before === options.bytes) return;
    if (before > options.bytes) await rm(options.partPath);
    try {
      await attemptOnce(options, before > options.bytes ? 0 : before);
      return;
    } catch (error) {
      options.signal?.throwIfAborted();
      const grew = (await sizeOf(options.partPath)) > before;
      if (!(error instanceof SourceError) || !grew || attempt >= limits.resumes) throw error;
    }
  }
}

async function sizeOf(path: string): Promise<number> {
  return await stat(path).then(
    ({ size }) => size,
    () => 0,
  );
}

async function attemptOnce(options: DownloadOptions, start: number): Promise<void> {
  const { url, bytes, signal } = options;
  const headers: Record<string, string> = { 'user-agent': 'commonweight', 'accept-encoding': 'identity' };
  if (start > 0) headers['range'] = `bytes=${start}-`;
  const response = await getFollowing(url, headers, options, signal);
  try {
    await writeBody(response, options, firstByte(response, start, url, bytes));
  } finally {
    response.destroy();
  }
}

/** Where the body starts in the file: a server may ignore Range and send everything. */
function firstByte(response: IncomingMessage, start: number, url: URL, bytes: number): number {
  if (response.statusCode === 200) return 0;
  if (response.statusCode !== 206) throw new SourceError(url.host, `answers with status ${response.statusCode}`);
  const range = /^bytes (\d+)-\d+\/(\d+)$/.exec(response.headers['content-range'] ?? '');
  if (Number(range?.[1]) !== start || Number(range?.[2]) !== bytes) {
    throw new SourceError(
      url.host,
      `expected bytes from ${start} of ${bytes}, got ${response.headers['content-range'] ?? 'no content-range'}`,
    );
  }
  return start;
}

async function writeBody(
  response: IncomingMessage,
  { url, partPath, bytes, onBytes, signal }: DownloadOptions,
  start: number,
): Promise<void> {
  const file = await open(partPath, start > 0 ? 'r+' : 'w').catch((error: unknown) => {
    throw fileError(error, `writing ${partPath}`);
  });
  let done = start;
  try {
    for await (const chunk of bodyOf(response, url, signal)) {
      if (done + chunk.length > bytes) throw new SourceError(url.host, `sends more than the expected ${bytes} bytes`);
      await file.writev([chunk], done).catch((error: unknown) => {
        throw fileError(error, `writing ${partPath}`);
      });
      done += chunk.length;
      onBytes(done);
    }
  } finally {
    await file.close();
  }
  if (done < bytes) throw new SourceError(url.host, `the connection ended after ${done} of ${bytes} bytes`);
}

/** Body chunks; every failure to read them is a {@link SourceError}. */
async function* bodyOf(response: IncomingMessage, url: URL, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
  const chunks = response[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
  for (;;) {
    const next = await chunks.next().catch((error: unknown) => {
      signal?.throwIfAborted();
      throw error instanceof SourceError ? error : new SourceError(url.host, 'the connection was cut', error);
    });
    if (next.done) return;
    yield next.value;
  }
}
