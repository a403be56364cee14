import { Script } from 'node:vm';
import { Interpreter, parse, tokenize } from '@huggingface/jinja';
import { READY, type RenderAnswer, type RenderJob, type RenderSetup } from './render-protocol.ts';
import { templateEnvironment } from './template-globals.ts';

// A process of its own: a template that builds endless strings takes its process down (V8 aborts on a failed large allocation, also in a
// worker thread), and that must not be the gateway. It gets strings and gives strings, has no environment, and ends when its parent does.
let setup: RenderSetup | undefined;
let parsed: { readonly program: ReturnType<typeof parse> } | undefined;

function render({ messages, addGenerationPrompt, date }: RenderJob): RenderAnswer {
  const { template, variables: names, maximumLength } = setup!;
  // lstrip and trim as Hugging Face's apply_chat_template has them.
  parsed ??= { program: parse(tokenize(template, { lstrip_blocks: true, trim_blocks: true })) };
  const variables = { messages, add_generation_prompt: addGenerationPrompt, ...names };
  const { value } = new Interpreter(templateEnvironment(date, variables)).run(parsed.program);
  if (typeof value !== 'string') return { error: 'the template gives no text' };
  if (value.length > maximumLength)
    return { error: `the rendered chat has ${value.length} characters, at most ${maximumLength} are allowed` };
  return { text: value };
}

// The parent kills a process that is late. This bound is for a parent that died meanwhile: `vm` interrupts whatever the script calls.
const RENDER = 'commonweight.render';
const interruptible = new Script(`globalThis[Symbol.for('${RENDER}')]()`);

function renderInterruptibly(job: RenderJob): RenderAnswer {
  (globalThis as unknown as Record<symbol, () => RenderAnswer>)[Symbol.for(RENDER)] = () => render(job);
  return interruptible.runInThisContext({ timeout: 2 * setup!.milliseconds }) as RenderAnswer;
}

process.on('message', (message: RenderSetup | RenderJob) => {
  if ('template' in message) {
    setup = message;
    process.send!(READY);
    return;
  }
  let answer: RenderAnswer;
  try {
    answer = renderInterruptibly(message);
  } catch (error) {
    answer = { error: (error instanceof Error ? error.message : String(error)).slice(0, 500) };
  }
  process.send!(answer);
});
// Also where a signal for the whole group arrives: the parent decides when this process ends.
process.on('SIGINT', () => undefined);
process.on('disconnect', () => process.exit(0));
