import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type PartialBundle, parsePartialBundle } from '@commonweight/protocol';
import { type RoleProcess, type TestNetwork, requireRealModel, startTestNetwork } from '@commonweight/testkit';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const found = await requireRealModel();
const cliScript = fileURLToPath(new URL('../../packages/cli/bin/commonweight.js', import.meta.url));
const question = { role: 'user' as const, content: 'Tell me a long story about the moon.' };

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs `commonweight` to its end. */
function commonweight(...args: string[]): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [cliScript, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    let out = '';
    let err = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, out, err }));
  });
}

describe.skipIf('reason' in found)(`a stream that dies${'reason' in found ? ` (${found.reason})` : ''}`, () => {
  let dataDir: string;
  let modelDir: string;
  let network: TestNetwork;
  let gateway: RoleProcess;

  beforeAll(async () => {
    if ('reason' in found) return;
    modelDir = found.dir;
    dataDir = mkdtempSync(join(tmpdir(), 'commonweight-broken-'));
    network = await startTestNetwork({ dataDir, packageDir: modelDir, cliScript });
    gateway = await network.startGateway();
  });

  afterAll(async () => {
    await network?.[Symbol.asyncDispose]();
    if (dataDir) rmSync(dataDir, { recursive: true, force: true });
  });

  const body = (node: string, options: object) => ({
    model: 'smollm2-135m-instruct',
    messages: [question],
    max_tokens: 200,
    temperature: 1.2,
    seed: 7,
    provider: { only: [node] },
    ...options,
  });

  /** Asks for a stream; `onText` sees the whole text so far. Returns the stream as a client saves it. */
  async function saveStream(node: string, onText: (events: number) => void): Promise<{ saved: string; hash: string }> {
    const response = await fetch(new URL('/v1/chat/completions', gateway.url), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body(node, { stream: true })),
    });
    let saved = '';
    for await (const part of response.body!.pipeThrough(new TextDecoderStream())) {
      saved += part;
      onText(saved.split('"content"').length - 1);
    }
    return { saved, hash: response.headers.get('x-commonweight-request')! };
  }

  const save = (name: string, text: string): string => {
    const file = join(dataDir, name);
    writeFileSync(file, text);
    return file;
  };

  const lastEvent = (saved: string): unknown => JSON.parse(saved.trimEnd().split('\n').at(-1)!.slice('data: '.length));

  const verify = async (file: string): Promise<Ended & { report: Record<string, never> }> => {
    const ended = await commonweight('verify', '--json', '--model-dir', modelDir, '--data', join(dataDir, 'nobody'), file);
    const report = ended.out.split('\n').find((line) => line.includes('"event":"report"'));
    return { ...ended, report: JSON.parse(report ?? 'null') as Record<string, never> };
  };

  it('because its worker was killed: the prefix is proven, re-executed, replayed, and can be fetched', async () => {
    const worker = await network.startWorker('killed');
    let killed = false;
    const { saved, hash } = await saveStream(worker.nodeId!, (events) => {
      if (killed || events < 24) return;
      killed = true;
      process.kill(worker.pid, 'SIGKILL');
    });
    expect(killed).toBe(true);
    expect(saved).not.toContain('[DONE]');
    const { error } = lastEvent(saved) as { error: { code: string; partial: unknown; unproven_tokens: number } };
    expect(error.code).toBe('node_failed');
    const partial: PartialBundle = parsePartialBundle(error.partial);
    expect(partial.checkpoint.completionTokens).toBeGreaterThanOrEqual(16);
    expect(partial.checkpoint.requestHash).toBe(hash);

    const file = save('died.sse', saved);
    const verified = await verify(file);
    const { completionTokens } = partial.checkpoint;
    expect(verified).toMatchObject({ code: 0, report: { verdict: 'verified', checkpoint: { completionTokens, requestHash: hash } } });
    expect(verified.report['summary']).toMatch(`The verdict covers the first ${completionTokens} tokens only`);

    const replayed = await commonweight('replay', '--model-dir', modelDir, file);
    expect(replayed.code).toBe(0);
    const shown = saved
      .split('\n')
      .filter((line) => line.startsWith('data: {') && !line.includes('"error"'))
      .map((line) => (JSON.parse(line.slice(6)) as { choices: { delta: { content?: string } }[] }).choices[0]?.delta.content ?? '')
      .join('');
    expect(replayed.out.length).toBeGreaterThan(16);
    expect(shown.startsWith(replayed.out)).toBe(true);

    const fetched = await (await fetch(new URL(`/v1/requests/${hash}`, gateway.url))).text();
    expect(await verify(save('fetched.json', fetched))).toMatchObject({ code: 0, report: { verdict: 'verified' } });

    // what nobody signed is refuted or cannot be checked, never verified
    const [id] = partial.completionIds;
    const edited = { ...partial, completionIds: partial.completionIds.with(0, id! + 1) };
    expect(await verify(save('edited.json', JSON.stringify(edited)))).toMatchObject({ code: 1 });
    expect(await verify(save('other-text.sse', saved.replace('"content":"', '"content":"not ')))).toMatchObject({ code: 1 });
    const cut = saved.slice(0, saved.lastIndexOf('data: {"error"'));
    expect(await verify(save('cut.sse', cut))).toMatchObject({ code: 2, err: expect.stringMatching(/GET \/v1\/requests/) });
  });

  describe('of a liar that breaks off before its receipt', () => {
    let liar: RoleProcess;
    beforeAll(async () => {
      if (!('reason' in found)) liar = await network.startLiar('break-off');
    });

    it('the token that it made up is refuted by its own checkpoint', async () => {
      const { saved } = await saveStream(liar.nodeId!, () => undefined);
      const file = save('lie.sse', saved);
      const ended = await verify(file);
      expect(ended).toMatchObject({ code: 1, report: { verdict: 'refuted', tokenDifference: { index: 2 } } });
      const { steps } = ended.report as unknown as { steps: { id: string; status: string }[] };
      expect(steps.filter(({ status }) => status === 'failed').map(({ id }) => id)).toEqual(['tokens']);
      expect((await commonweight('replay', '--model-dir', modelDir, file)).code).toBe(1);
    });

    it('callers of the openai client find it in their error, of a whole answer and of a stream', async () => {
      const client = new OpenAI({ baseURL: `${new URL('/v1', gateway.url)}`, apiKey: 'none', maxRetries: 0 });
      const ask = async (stream: boolean): Promise<void> => {
        const answer = await client.chat.completions.create(body(liar.nodeId!, { stream }) as never);
        if (stream) for await (const chunk of answer as unknown as AsyncIterable<unknown>) void chunk;
      };
      for (const stream of [false, true]) {
        const error = await ask(stream).then(
          () => undefined,
          (reason: unknown) => reason as InstanceType<typeof OpenAI.APIError>,
        );
        expect(error).toBeInstanceOf(OpenAI.APIError);
        const { partial } = error!.error as { partial: unknown };
        expect(parsePartialBundle(partial).checkpoint.completionTokens).toBe(16);
      }
    });
  });
});
