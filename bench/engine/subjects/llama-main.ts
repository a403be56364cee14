// llama.cpp through node-llama-cpp: flash attention, KV types and memory mapping as they are by default, no GPU.
import process from 'node:process';
import type { LlamaModule } from './llama-api.ts';
import { now } from './clock.ts';
import type { Contender, Numbers } from './messages.ts';
import { type RunTask, promptIds, serve } from './serve.ts';

const CONTEXT = 1024;
const BATCH = 512;
/** Less than either vocabulary: the prompts need no more. */
const VOCABULARY = 30_000;

async function open({ entry, gguf, threads }: Contender & { readonly engine: 'llama' }): Promise<{ run: RunTask; numbers: Numbers }> {
  const { getLlama } = (await import(entry)) as LlamaModule;
  const llama = await getLlama({ build: 'never', gpu: false, logLevel: 'error' });
  const model = await llama.loadModel({ modelPath: gguf });
  const context = await model.createContext({ contextSize: CONTEXT, batchSize: BATCH, threads });
  const ctx = context._ctx;
  const sampler = new llama._bindings.AddonSampler(model._model);
  sampler.applyConfig({ temperature: 0 });
  ctx.setThreads(threads);
  if (ctx.getThreads() !== threads) throw new Error(`expected llama.cpp to run on ${threads} threads, got ${ctx.getThreads()}`);
  process.stderr.write(`llama.cpp: ${llama.systemInfo}; flash attention ${String(context.flashAttention)}, ${threads} threads\n`);

  /** Runs `ids` at `position ...` and chooses the next token. */
  const evaluate = async (ids: readonly number[], position: number): Promise<number> => {
    ctx.initBatch(ids.length);
    const [index] = ctx.addToBatch(0, position, Uint32Array.from(ids), Uint32Array.of(ids.length - 1));
    await ctx.decodeBatch();
    return await ctx.sampleToken(index!, sampler);
  };

  const decode = async (prompt: number, tokens: number): Promise<Numbers> => {
    ctx.disposeSequence(0);
    let next = await evaluate(promptIds(prompt, VOCABULARY), 0);
    const start = now();
    for (let i = 0; i < tokens; i++) next = await evaluate([next], prompt + i);
    return { decode: (now() - start) / tokens };
  };

  const prefill = async (prompt: number): Promise<Numbers> => {
    ctx.disposeSequence(0);
    const start = now();
    await evaluate(promptIds(prompt, VOCABULARY), 0);
    return { prefill: now() - start };
  };

  const loop = async (prompt: number, tokens: number): Promise<Numbers> => {
    const sequence = (loopSequence ??= context.getSequence());
    ctx.disposeSequence(0);
    await sequence.clearHistory();
    let count = 0;
    let start = 0;
    for await (const _ of sequence.evaluate(promptIds(prompt, VOCABULARY), { temperature: 0, yieldEogToken: true })) {
      if (count === 0) start = now();
      if (count++ === tokens) break;
    }
    return { loop: (now() - start) / tokens };
  };
  let loopSequence: ReturnType<typeof context.getSequence> | undefined;

  const run: RunTask = (task) => {
    if (task.task === 'decode') return decode(task.prompt, task.tokens);
    if (task.task === 'loop') return loop(task.prompt, task.tokens);
    if (task.task === 'prefill') return prefill(task.prompt);
    throw new Error(`llama.cpp is not asked for ${task.task}`);
  };
  return { run, numbers: {} };
}

await serve(open);
