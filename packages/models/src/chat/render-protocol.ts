import type { ChatMessage } from './chat-message.ts';

export interface RenderSetup {
  readonly template: string;
  /** Names that the template may use beside the chat's own. */
  readonly variables: { readonly bos_token: string; readonly eos_token: string };
  readonly maximumLength: number;
  readonly milliseconds: number;
}

export interface RenderJob {
  readonly messages: readonly ChatMessage[];
  readonly addGenerationPrompt: boolean;
  readonly date: string | undefined;
}

export type RenderAnswer = { readonly text: string } | { readonly error: string };

/** Sent once, when the process has its template and can take jobs. */
export const READY = 'ready';
