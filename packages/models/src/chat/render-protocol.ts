import type { ChatMessage } from './chat-message.ts';

export interface RenderSetup {
  readonly template: string;
  readonly maximumLength: number;
}

export interface RenderJob {
  readonly messages: readonly ChatMessage[];
  readonly addGenerationPrompt: boolean;
  readonly date: string | undefined;
}

export type RenderAnswer = { readonly text: string } | { readonly error: string };

/** Posted once, when the thread has loaded its code. */
export const READY = 'ready';
