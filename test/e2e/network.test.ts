import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Bundle, parseBundle, receiptDigest } from '@commonweight/protocol';
import { requireRealModel } from '@commonweight/testkit';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Network, type ReadyEvent, processesLeft } from '../../scripts/lib/network.mjs';

const found = await requireRealModel();
const cli = fileURLToPath(new URL('../../packages/cli/bin/commonweight.js', import.meta.url));
const JAPAN = 'What is the capital of Japan?';

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs `commonweight` to its end. */
function commonweight(...args: string[]): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [cli, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    let out = '';
    let err = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, out, err }));
  });
}

const bundleOf = (body: object): Bundle => parseBundle((body as { receipt?: unknown }).receipt);
const idOf = ({ receipt, domain }: Bundle): string => receiptDigest(receipt, domain);

describe.skipIf('reason' in found)(`a network on this machine${'reason' in found ? ` (skipped: ${found.reason})` : ''}`, () => {
  let folder: string;
  let data: string;
  let network: Network;
  let ready: ReadyEvent;
  let client: OpenAI;

  const started: Network[] = [];
  const startNetwork = (): Network => {
    const one = new Network(process.execPath, [cli, 'dev', '--json', '--port', '0', '--data', data]);
    started.push(one);
    return one;
  };

  beforeAll(async () => {
    if ('reason' in found) return;
    folder = mkdtempSync(join(tmpdir(), 'commonweight-e2e-'));
    data = join(folder, 'data');
    mkdirSync(join(data, 'models'), { recursive: true });
    symlinkSync(found.dir, join(data, 'models', basename(found.dir)));
    network = startNetwork();
    ready = await network.ready();
    client = new OpenAI({ baseURL: ready.url, apiKey: 'none', maxRetries: 0 });
  });

  afterAll(async () => {
    // all of them: a test that fails may leave one running that no variable names any more
    for (const one of started) if (one.child.exitCode === null && one.child.signalCode === null) await one.stop('SIGKILL');
    const left = await processesLeft(data, 10_000);
    rmSync(folder, { recursive: true, force: true });
    if (left.length > 0) throw new Error(`processes left: ${left.join(', ')}`);
  });

  const ask = (options: Partial<OpenAI.ChatCompletionCreateParamsNonStreaming> & { provider?: { only: string[] } } = {}) =>
    client.chat.completions.create({
      model: ready.model.name,
      messages: [{ role: 'user', content: JAPAN }],
      temperature: 0,
      max_tokens: 40,
      ...options,
    });

  const getJson = async (url: string): Promise<Record<string, unknown>> => (await (await fetch(url)).json()) as Record<string, unknown>;

  it('has the nodes that it announced', async () => {
    expect(ready.nodes).toHaveLength(3);
    const { data: listed } = (await getJson(`${ready.url}/nodes`)) as { data: { id: string; health: { status: string } }[] };
    expect(
      listed
        .filter(({ health }) => health.status === 'ok')
        .map(({ id }) => id)
        .toSorted(),
    ).toEqual(ready.nodes.map(({ id }) => id).toSorted());
  });

  it('keeps keys to their owner', () => {
    const keys = readdirSync(data, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.key'));
    expect(keys).toHaveLength(7);
    for (const name of keys) expect(statSync(join(data, name)).mode & 0o077).toBe(0);
  });

  describe('answers', () => {
    let answer: Awaited<ReturnType<typeof ask>>;
    let file: string;

    it('the OpenAI client unchanged', async () => {
      answer = await ask();
      file = join(folder, 'answer.json');
      writeFileSync(file, JSON.stringify(answer));
      expect(answer.choices[0]?.message.content).toContain('Tokyo');
      const { receipt } = bundleOf(answer);
      expect(answer.usage).toMatchObject({ prompt_tokens: receipt.promptTokens, completion_tokens: receipt.completionTokens });
    });

    it('the same text as a stream, with usage and the receipt in the last chunk', async () => {
      const stream = await client.chat.completions.create({
        model: ready.model.name,
        messages: [{ role: 'user', content: JAPAN }],
        temperature: 0,
        max_tokens: 40,
        stream: true,
        stream_options: { include_usage: true },
      });
      const chunks = [];
      for await (const chunk of stream) chunks.push(chunk);
      expect(chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '').join('')).toBe(answer.choices[0]?.message.content);
      const last = chunks.at(-1)!;
      expect(last.choices).toEqual([]);
      const { prompt_tokens, completion_tokens, total_tokens } = answer.usage!;
      expect(last.usage).toMatchObject({ prompt_tokens, completion_tokens, total_tokens });
      expect(bundleOf(last).completionIds).toEqual(bundleOf(answer).completionIds);
    });

    it('every setting of the sampler and log probabilities: verify replays them, and refutes a changed digit', async () => {
      const settings = {
        temperature: 0.9,
        seed: 7,
        top_p: 0.95,
        logit_bias: { '28': 1.5 },
        presence_penalty: 0.3,
        frequency_penalty: -0.2,
        ...({ top_k: 50, min_p: 0.02, repetition_penalty: 1.1 } as object),
        max_tokens: 12,
        logprobs: true,
        top_logprobs: 3,
      };
      const body = await ask(settings);
      const entries = body.choices[0]!.logprobs!.content!;
      const { completionIds } = bundleOf(body);
      expect(entries.length).toBeGreaterThanOrEqual(completionIds.length - 1);
      expect(entries.flatMap(({ bytes }) => bytes!)).toEqual([...Buffer.from(body.choices[0]!.message.content!)]);
      for (const { logprob, top_logprobs: top } of entries) {
        expect(top).toHaveLength(3);
        expect(logprob).toBeLessThanOrEqual(top[0]!.logprob);
        expect(top.reduce((sum, { logprob: of }) => sum + Math.exp(of), 0)).toBeLessThan(1.001);
      }
      const saved = join(folder, 'sampler.json');
      writeFileSync(saved, JSON.stringify(body));
      const verified = await commonweight('verify', saved, '--data', data);
      expect(verified.out).toContain(
        'repetition penalty 1.1, presence penalty 0.3, frequency penalty -0.2, temperature 0.9, top-k 50, top-p 0.95, min-p 0.02',
      );
      expect(verified.out).toContain(`the log probabilities that were shown, of all ${entries.length} tokens`);
      expect(verified.code).toBe(0);

      entries[2]!.top_logprobs[1]!.logprob -= 2 ** -16;
      writeFileSync(saved, JSON.stringify(body));
      const refuted = await commonweight('verify', saved, '--data', data);
      expect(refuted.out).toContain('answer token 3: top_logprobs[1]: the model gives');
      expect(refuted.code).toBe(1);
    });

    it.each([0, 1])('JSON schemas at temperature %d: valid answers, replayed by verify', async (temperature) => {
      const city = {
        type: 'object',
        properties: {
          city: { type: 'string' },
          country: { enum: ['Japan', 'France'] },
          capital: { type: 'boolean' },
          population: { type: ['integer', 'null'] },
        },
        required: ['city', 'country', 'capital', 'population'],
        additionalProperties: false,
      };
      const list = { $ref: '#/$defs/entry', $defs: { entry: { type: 'object', properties: { n: { type: 'number' }, next: { type: 'array', items: { $ref: '#/$defs/entry' } } }, required: ['n'] } } }; // prettier-ignore
      for (const [i, schema] of [city, { type: 'array', items: { enum: ['red', 'blue'] } }, list].entries()) {
        const body = await ask({
          messages: [{ role: 'user', content: 'Tell me about Tokyo as JSON.' }],
          temperature,
          seed: i,
          max_tokens: 80,
          frequency_penalty: 0.5,
          response_format: { type: 'json_schema', json_schema: { name: 'answer', schema } },
        });
        const [choice] = body.choices;
        if (choice!.finish_reason === 'stop') {
          const value = JSON.parse(choice!.message.content!) as Record<string, unknown>;
          if (i === 0) {
            expect(Object.keys(value)).toEqual(['city', 'country', 'capital', 'population']);
            expect(['Japan', 'France']).toContain(value['country']);
            expect(typeof value['capital']).toBe('boolean');
          } else expect(Array.isArray(value)).toBe(i === 1);
        }
        if (i === 0) expect(choice!.finish_reason).toBe('stop');
        const saved = join(folder, `schema-${i}.json`);
        writeFileSync(saved, JSON.stringify(body));
        const verified = await commonweight('verify', saved, '--data', data);
        expect(verified.out).toContain('a grammar of');
        expect(verified.out).toContain('is decided by replay alone');
        expect([verified.code, verified.out]).toEqual([0, expect.stringContaining('VERIFIED')]);
      }
    });

    it('any JSON object, as a stream; hostile schemas are refused by name', async () => {
      const stream = await client.chat.completions.create({
        model: ready.model.name,
        messages: [{ role: 'user', content: 'Tell me about Tokyo as JSON.' }],
        temperature: 0,
        max_tokens: 60,
        stream: true,
        response_format: { type: 'json_object' },
      });
      let text = '';
      for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? '';
      expect(text).toMatch(/^\{/);
      const refused = (schema: Record<string, unknown>) =>
        ask({ response_format: { type: 'json_schema', json_schema: { name: 'x', schema } } }).catch((error: unknown) => error);
      expect(await refused({ type: 'string', pattern: '(a+)+$' })).toMatchObject({
        status: 400,
        param: 'response_format.json_schema.schema.pattern',
      });
      expect(await refused({ $ref: '#' })).toMatchObject({ status: 400, param: 'response_format.json_schema.schema' });
    });

    it('log probabilities of a stream are those of the body', async () => {
      const settings = { max_tokens: 8, logprobs: true, top_logprobs: 2 };
      const body = await ask(settings);
      const stream = await client.chat.completions.create({
        model: ready.model.name,
        messages: [{ role: 'user', content: JAPAN }],
        temperature: 0,
        stream: true,
        ...settings,
      });
      const entries = [];
      for await (const chunk of stream) entries.push(...(chunk.choices[0]?.logprobs?.content ?? []));
      expect(entries).toEqual(body.choices[0]!.logprobs!.content);
    });

    it('a receipt has its inclusion proof within 10 s', async () => {
      const id = idOf(bundleOf(answer));
      await expect
        .poll(() => getJson(`${ready.url}/receipts/${id}`), { timeout: 10_000, interval: 100 })
        .toMatchObject({ status: 'posted', proof: { count: expect.any(Number) } });
    });

    it('verify re-executes and asks the chain', async () => {
      const { code, out } = await commonweight('verify', file, '--data', data, '--json');
      const report = JSON.parse(out.trim().split('\n').at(-1)!) as {
        verdict: string;
        notChecked: string[];
        steps: { id: string; status: string }[];
      };
      expect(code).toBe(0);
      expect(report.verdict).toBe('verified');
      expect(report.steps.filter(({ status, id }) => status === 'passed' && id.startsWith('chain-')).map(({ id }) => id)).toEqual([
        'chain-batch',
        'chain-node',
        'chain-model',
      ]);
    });

    it('replay prints the same bytes and nothing else', async () => {
      expect(await commonweight('replay', file, '--data', data)).toEqual({ code: 0, out: answer.choices[0]?.message.content, err: '' });
    });

    it('an edited text is refuted', async () => {
      const edited = join(folder, 'edited.json');
      writeFileSync(edited, readFileSync(file, 'utf8').replace('Tokyo', 'Kyoto'));
      const { code, out } = await commonweight('verify', edited, '--data', data);
      expect(out).toContain('REFUTED');
      expect(code).toBe(1);
    });
  });

  it('every node gives the same tokens at temperature 0.8 with a seed', async () => {
    const bundles: Bundle[] = [];
    for (const { id } of ready.nodes)
      bundles.push(bundleOf(await ask({ temperature: 0.8, seed: 11, max_tokens: 24, provider: { only: [id] } })));
    expect(bundles.map(({ receipt }) => receipt.node)).toEqual(ready.nodes.map(({ id }) => id));
    for (const { completionIds, receipt } of bundles) {
      expect(completionIds).toEqual(bundles[0]?.completionIds);
      expect(receipt.thinRoot).toBe(bundles[0]?.receipt.thinRoot);
    }
  });

  it('a worker that is killed comes back and continues its sequence', async () => {
    const { id } = ready.nodes[0]!;
    const before = bundleOf(await ask({ max_tokens: 2, provider: { only: [id] } }));
    const isReady = ({ event, node, state }: Record<string, unknown>): boolean => event === 'process' && node === id && state === 'ready';
    const { pid } = await network.event(isReady);
    const back = network.event(isReady, false);
    process.kill(pid as number, 'SIGKILL');
    expect((await back).pid).not.toBe(pid);
    const after = bundleOf(await ask({ max_tokens: 2, provider: { only: [id] } }));
    expect(after.receipt.sequence).toBe(before.receipt.sequence + 1);
    expect(after.receipt.previous).toBe(idOf(before));
  });

  it('a busy port is one sentence', async () => {
    const { port } = new URL(ready.url);
    const { code, out, err } = await commonweight('dev', '--port', port, '--data', join(folder, 'other'));
    expect({ code, out, err }).toEqual({
      code: 2,
      out: '',
      err: `Port ${port} is in use by another program: choose another one with --port N (0 takes any free one).\n`,
    });
  });

  it('a second network on the same data is one sentence', async () => {
    const { code, err } = await commonweight('dev', '--port', '0', '--data', data);
    expect(err).toBe(`Another network already runs on ${data} (process ${ready.pid}): stop it, or choose another folder with --data.\n`);
    expect(code).toBe(2);
  });

  describe('stopped and started again', () => {
    let last: Bundle;

    it('Ctrl-C ends every process', async () => {
      last = bundleOf(await ask({ max_tokens: 2, provider: { only: [ready.nodes[1]!.id] } }));
      expect(await network.stop('SIGINT')).toBe(0);
      expect(await processesLeft(data, 0)).toEqual([]);
    });

    it('verify works and names the chain facts that it could not check', async () => {
      const { code, out } = await commonweight('verify', join(folder, 'answer.json'), '--data', data);
      const notChecked = out.slice(out.indexOf('Not checked:'), out.indexOf('What remains trust:'));
      for (const fact of ['receipt in a batch on chain', 'node registered', 'model registered on chain'])
        expect(notChecked).toContain(fact);
      expect(code).toBe(0);
    });

    it('a network that starts again goes on where it ended', async () => {
      network = startNetwork();
      ready = await network.ready();
      client = new OpenAI({ baseURL: ready.url, apiKey: 'none', maxRetries: 0 });
      const next = bundleOf(await ask({ max_tokens: 2, provider: { only: [ready.nodes[1]!.id] } }));
      expect(next.receipt.sequence).toBe(last.receipt.sequence + 1);
      await expect
        .poll(() => getJson(`${ready.url}/receipts/${idOf(last)}`), { timeout: 10_000, interval: 100 })
        .toMatchObject({ status: 'posted' });
    });

    it('SIGKILL of the parent leaves no process', async () => {
      expect(await network.stop('SIGKILL')).toBe('SIGKILL');
      expect(await processesLeft(data, 10_000)).toEqual([]);
    });

    it('people get the line with the URL, and what to do next', async () => {
      const child = spawn(process.execPath, [cli, 'dev', '--port', '0', '--data', data], { stdio: ['ignore', 'pipe', 'ignore'] });
      let out = '';
      for await (const text of child.stdout.setEncoding('utf8')) {
        out += String(text);
        if (out.includes('Ctrl-C')) break;
      }
      const closed = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGINT');
      await closed;
      expect(out).toMatch(/^ready http:\/\/127\.0\.0\.1:\d+\/v1\n\ncurl -s .*capital of Japan/u);
      expect(out).toContain(ready.model.id);
      for (const { id } of ready.nodes) expect(out).toContain(id);
      expect(out).toContain(`npx commonweight verify answer.json --data ${data}`);
    });
  });
});
