import type { Manifest, ModelId, TokenText } from '@commonweight/protocol';

export interface Message {
  readonly role: 'system' | 'user' | 'assistant';
  readonly content: string;
}

/** Turns ids into text as they come; a character whose bytes are spread over several ids appears with the last of them. */
export interface IdDecoder {
  readonly push: (id: number) => string;
  /** What is left when no id follows: incomplete bytes become U+FFFD. */
  readonly flush: () => string;
}

/** What the gateway needs of a model: everything but the weights. */
export interface ChatModel {
  readonly modelId: ModelId;
  /** The printed name. */
  readonly name: string;
  readonly manifest: Manifest;
  /** Messages as prompt ids, by the package's chat template and tokenizer, with the answer's beginning added. Rejects with a CommonweightError when the template refuses them. */
  readonly render: (messages: readonly Message[]) => Promise<readonly number[]>;
  readonly newDecoder: () => IdDecoder;
  /** What one token shows of itself. */
  readonly tokenText: (id: number) => TokenText;
  readonly close: () => Promise<void>;
}

/** Text of all ids at once. */
export function decodeAll(model: ChatModel, ids: readonly number[]): string {
  const decoder = model.newDecoder();
  let text = '';
  for (const id of ids) text += decoder.push(id);
  return text + decoder.flush();
}
