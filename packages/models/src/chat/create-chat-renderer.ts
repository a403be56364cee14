import { randomBytes } from 'node:crypto';
import { CommonweightError } from '@commonweight/protocol';
import type { ModelPackage } from '../package/open-package.ts';
import type { Tokenizer } from '../tokenizer/create-tokenizer.ts';
import { type ChatMessage, checkMessages } from './chat-message.ts';
import { markControlTokens } from './control-marks.ts';
import { RenderProcess } from './render-process.ts';

export interface RenderOptions {
  /** Whether the text ends with the opening of the assistant's answer. */
  readonly addGenerationPrompt: boolean;
  /** YYYY-MM-DD for templates that show today's date; without it they fail. The clock is never read. */
  readonly date?: string;
}

export interface ChatRenderer {
  /** Token ids of a chat. Control tokens come from the template alone; see `control-marks.ts`. Throws a CommonweightError. */
  readonly renderChat: (messages: readonly ChatMessage[], options: RenderOptions) => Promise<number[]>;
  readonly close: () => Promise<void>;
}

/** A renderer with its own process, which is started at once. */
export function createChatRenderer(model: Pick<ModelPackage, 'tokenizer' | 'chatTemplate'>, milliseconds?: number): ChatRenderer {
  const tokenizer: Tokenizer = model.tokenizer();
  const marks = markControlTokens(model.chatTemplate(), tokenizer.special, randomBytes(16).toString('hex'));
  const variables = { bos_token: marks.mark(tokenizer.named.bos_token), eos_token: marks.mark(tokenizer.named.eos_token) };
  const renderer = new RenderProcess(marks.template, variables, milliseconds);
  return {
    async renderChat(messages, { addGenerationPrompt, date }) {
      checkMessages(messages);
      if (date !== undefined && !/^\d{4}-(?:0[1-9]|1[0-2])-\d\d$/.test(date)) {
        throw new CommonweightError(`date: expected YYYY-MM-DD, got ${JSON.stringify(date.slice(0, 40))}`, { code: 'date', field: 'date' });
      }
      const plain = messages.map(({ role, content }) => ({ role, content }));
      const text = await renderer.render({ messages: plain, addGenerationPrompt, date });
      return marks.split(text).flatMap((piece) => (typeof piece === 'number' ? [piece] : tokenizer.encode(piece, { allowSpecial: false })));
    },
    close: () => renderer.close(),
  };
}
