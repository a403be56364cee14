import { parentPort, workerData } from 'node:worker_threads';
import { Template } from '@huggingface/jinja';
import { READY, type RenderAnswer, type RenderJob, type RenderSetup } from './render-protocol.ts';

// Runs alone in a thread that is killed when it takes too long. It gets strings and gives strings; nothing else of the process is within reach of a template.
const { template: source, maximumLength } = workerData as RenderSetup;
let template: Template | undefined;

function render({ messages, addGenerationPrompt, date }: RenderJob): string {
  template ??= new Template(source);
  return template.render({
    messages,
    add_generation_prompt: addGenerationPrompt,
    date_string: date,
    bos_token: '',
    eos_token: '',
    raise_exception: (reason: unknown) => {
      throw new Error(`the template refuses: ${String(reason).slice(0, 200)}`);
    },
  });
}

parentPort!.on('message', (job: RenderJob) => {
  let answer: RenderAnswer;
  try {
    const text = render(job);
    answer = text.length <= maximumLength ? { text } : { error: `the rendered chat has ${text.length} characters, at most ${maximumLength} are allowed` };
  } catch (error) {
    answer = { error: (error instanceof Error ? error.message : String(error)).slice(0, 500) };
  }
  parentPort!.postMessage(answer);
});
parentPort!.postMessage(READY);
