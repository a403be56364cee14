import { parentPort, workerData } from 'node:worker_threads';
import { Interpreter, parse, tokenize } from '@huggingface/jinja';
import { READY, type RenderAnswer, type RenderJob, type RenderSetup } from './render-protocol.ts';
import { templateEnvironment } from './template-globals.ts';

// Runs alone in a thread that is killed when it takes too long. It gets strings and gives strings; nothing else of the process is within reach of a template.
const { template, maximumLength } = workerData as RenderSetup;
let program: ReturnType<typeof parse> | undefined;

function render({ messages, addGenerationPrompt, date }: RenderJob): RenderAnswer {
  // lstrip and trim as Hugging Face's apply_chat_template has them.
  program ??= parse(tokenize(template, { lstrip_blocks: true, trim_blocks: true }));
  const variables = { messages, add_generation_prompt: addGenerationPrompt, bos_token: '', eos_token: '' };
  const { value } = new Interpreter(templateEnvironment(date, variables)).run(program);
  if (typeof value !== 'string') return { error: 'the template gives no text' };
  if (value.length > maximumLength) return { error: `the rendered chat has ${value.length} characters, at most ${maximumLength} are allowed` };
  return { text: value };
}

parentPort!.on('message', (job: RenderJob) => {
  let answer: RenderAnswer;
  try {
    answer = render(job);
  } catch (error) {
    answer = { error: (error instanceof Error ? error.message : String(error)).slice(0, 500) };
  }
  parentPort!.postMessage(answer);
});
parentPort!.postMessage(READY);
