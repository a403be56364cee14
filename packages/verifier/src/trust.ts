import type { AskedPart } from '@commonweight/protocol';

/** What a verdict cannot say, whatever it is (design, section 10). */
export function trustSentences({ request }: AskedPart, answerText: string | undefined): readonly string[] {
  return [
    'The node reads the prompt: it runs in no trusted hardware.',
    'The integer model is not the original float model; its card says what it was converted from and what that costs.',
    "That the prompt ids are a faithful rendering of the messages was the gateway's work: the node signed ids.",
    ...(answerText === undefined ? ['That the text which was shown belongs to the ids is not in a bundle.'] : []),
    ...(request.sampler.temperature === 0 ? [] : ['The gateway chose the seed if the client gave none; the node had no part in it.']),
    ...(request.sampler.grammar
      ? [
          "Which tokens the grammar allows is decided by replay alone: no contract computes it. That the grammar says what the client asked for was the gateway's work.",
        ]
      : []),
    'The weights, the engine and this program were checked on this machine by itself alone.',
    'A true answer of the model can still be a wrong answer to the question.',
  ];
}
