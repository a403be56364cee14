import { CommonweightError } from '@commonweight/protocol';
import { limits } from '../limits.ts';

export interface ChatMessage {
  readonly role: string;
  readonly content: string;
}

/** Refuses what no template is written for; the caller has checked roles against its own list. */
export function checkMessages(messages: readonly ChatMessage[]): void {
  const fail = (field: string, expected: string, got: string): never => {
    throw new CommonweightError(`${field}: expected ${expected}, got ${got}`, { code: 'chat_messages', field });
  };
  if (messages.length === 0 || messages.length > limits.chatMessages)
    fail('messages', `1 to ${limits.chatMessages} messages`, String(messages.length));
  let length = 0;
  for (const [i, { role, content }] of messages.entries()) {
    // A role ends up between control tokens; a word cannot be one.
    if (!/^[a-z_]{1,32}$/.test(role)) fail(`messages[${i}].role`, 'a word of lower-case letters', JSON.stringify(role.slice(0, 40)));
    length += content.length;
    if (length > limits.textLength) fail(`messages[${i}].content`, `at most ${limits.textLength} characters in all messages`, `${length}`);
  }
}
