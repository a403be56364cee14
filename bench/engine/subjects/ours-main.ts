// The engine of this repository: everything with commitment on, as a worker runs it.
import { type Executor, generateSteps, reexecute } from '@commonweight/engine';
import { packageFiles, padTo, toHex } from '@commonweight/protocol';
import { now } from './clock.ts';
import type { Contender, Numbers } from './messages.ts';
import { openExecutor } from './open-executor.ts';
import { type RunTask, peakBytes, promptIds, serve } from './serve.ts';
import { Stream, greedy } from './stream.ts';

async function open(contender: Contender & { readonly engine: 'wasm' | 'native' }): Promise<{ run: RunTask; numbers: Numbers }> {
  const start = performance.now();
  const executor = await openExecutor(contender);
  const { vocabulary } = executor.manifest.graph;
  generate(executor, promptIds(16, vocabulary), 1);
  // from the start of the process: Node itself, the modules, the package, the check of its weights, a prompt of 16 ids
  const numbers = { toFirstToken: performance.now(), load: performance.now() - start };
  const run: RunTask = (task) => {
    switch (task.task) {
      case 'decode':
        return decode(executor, task.prompt, task.tokens);
      case 'prefill':
        return { prefill: generate(executor, promptIds(task.prompt, vocabulary), 1).first };
      case 'batch':
        return batch(executor, task.streams, task.prompt, task.tokens);
      case 'reexecution':
        return reexecution(executor, task.prompt, task.tokens);
      case 'commitment':
        return commitment(executor, task.prompt, task.tokens);
      case 'memory':
        return memory(executor, task.prompt, task.tokens);
      case 'loop':
        throw new Error('there is no other loop than that of decode');
    }
  };
  return { run, numbers };
}

/** Milliseconds until the first token and until the last, with what was generated. */
function generate(executor: Executor, prompt: readonly number[], maxTokens: number) {
  const start = now();
  let first = 0;
  const steps = generateSteps({ ...greedy, executor, promptIds: prompt, stopIds: [], maxTokens });
  for (;;) {
    const { done, value } = steps.next();
    if (done) return { first, total: now() - start, ...value };
    if (value.type === 'token' && value.index === 0) first = now() - start;
  }
}

function decode(executor: Executor, prompt: number, tokens: number): Numbers {
  const { first, total } = generate(executor, promptIds(prompt, executor.manifest.graph.vocabulary), tokens + 1);
  return { decode: (total - first) / tokens };
}

function reexecution(executor: Executor, prompt: number, tokens: number): Numbers {
  const ids = promptIds(prompt, executor.manifest.graph.vocabulary);
  const { total, completionIds, commitment: claimed } = generate(executor, ids, tokens);
  const start = now();
  const again = reexecute({ ...greedy, executor, promptIds: ids, completionIds });
  const sameRoot = toHex(again.commitment.root()) === toHex(claimed.root());
  const took = now() - start;
  if (!sameRoot || again.sampledIds.join() !== completionIds.join()) throw new Error('re-execution differs from generation');
  return { generate: total, reexecute: took };
}

/** Steps of `streams` texts at once; of several, the first one's root is compared with running it alone. */
function batch(executor: Executor, count: number, prompt: number, tokens: number): Numbers {
  const { vocabulary } = executor.manifest.graph;
  const streams = Array.from({ length: count }, (_, i) => new Stream(executor, promptIds(prompt, vocabulary, i), tokens));
  try {
    executor.forwardBatch(streams);
    const start = now();
    for (let i = 0; i < tokens; i++) executor.forwardBatch(streams);
    const perStep = (now() - start) / tokens;
    if (count > 1) {
      const alone = generate(executor, promptIds(prompt, vocabulary), tokens + 1);
      if (toHex(alone.commitment.root()) !== toHex(streams[0]!.commitment.root()))
        throw new Error('a stream among others differs from the same one alone');
    }
    return { [`batch${count}`]: perStep };
  } finally {
    for (const { sequence } of streams) sequence.release();
  }
}

/** Time in the commitment's hashing within a decode, where caches are as they are. */
function commitment(executor: Executor, prompt: number, tokens: number): Numbers {
  const stream = new Stream(executor, promptIds(prompt, executor.manifest.graph.vocabulary), tokens);
  const step = (): void => executor.forward(stream.sequence, stream.ids, stream.observer);
  try {
    step();
    stream.hashing = 0;
    const start = now();
    for (let i = 0; i < tokens; i++) step();
    return { commitment: stream.hashing / tokens, token: (now() - start) / tokens };
  } finally {
    stream.sequence.release();
  }
}

function memory(executor: Executor, prompt: number, tokens: number): Numbers {
  const { graph, files } = executor.manifest;
  generate(executor, promptIds(prompt, graph.vocabulary), tokens);
  const weights = files.find(({ name }) => name === packageFiles.weights)!.size;
  const position = graph.layers * graph.kvHeads * (2 * padTo(graph.headDimension, 16) + 8);
  return { peak: peakBytes(), weights, cache: position * (prompt + tokens - 1) };
}

await serve(open);
