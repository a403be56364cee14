import type { Hex, Hex32, LogprobEntry, SamplerSettings } from '@commonweight/protocol';
import type { ChatModel } from '../text/chat-model.ts';
import type { ProviderPreferences } from '../schema/chat-request.ts';

/** A chat request after rendering and defaults: what every node that is asked gets, in its own signed request. */
export interface Job {
  readonly model: ChatModel;
  readonly promptIds: readonly number[];
  readonly sampler: SamplerSettings;
  /** 0 to 20 likeliest ids whose log probabilities come with each token; undefined for none at all. */
  readonly logprobs: number | undefined;
  /** 16 bytes; the same for every attempt, so that every node gives the same tokens. */
  readonly seed: Hex;
  readonly maxTokens: number;
  readonly stopStrings: readonly string[];
  readonly provider: ProviderPreferences | undefined;
}

/** Where an answer goes while it is made. */
export interface Sink {
  /** A node was asked, with this signed request. */
  readonly asked: (node: string, requestHash: Hex32) => void;
  /** Text that may be shown, and the log probabilities of the tokens that came since the last text, when they were asked for. */
  readonly text: (delta: string, logprobs: readonly LogprobEntry[]) => void;
  /** Whether the answer can begin again at another node: nothing was shown to anybody yet. Forgets what was gathered. */
  readonly restart: () => boolean;
}
