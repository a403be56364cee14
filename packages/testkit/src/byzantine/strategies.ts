import type { StepId } from '@commonweight/verifier';

/** What a lying node does, and the steps of a verification of which at least one must refute it. Every lie is validly signed. */
export const byzantineStrategies = {
  'tampered-model': {
    does: 'serves a copy of the model with a few changed weights: fluent text, honest receipts about the wrong model',
    refutedBy: ['execution'],
  },
  'edit-token': { does: 'runs the right model and replaces one token of the answer', refutedBy: ['tokens'] },
  'shorten-answer': { does: 'stops after a few tokens and says that the limit was reached', refutedBy: ['stop'] },
  'early-stop': { does: 'stops after a few tokens and adds a stop id that the model did not sample', refutedBy: ['tokens'] },
  'over-count': { does: 'bills more tokens than it delivered', refutedBy: ['counts'] },
  'other-prompt': { does: 'answers a prompt in which one token differs', refutedBy: ['execution'] },
  'other-seed': { does: 'samples with randomness of its own', refutedBy: ['tokens'] },
  'other-temperature': { does: 'samples greedily where randomness was asked for, and the other way round', refutedBy: ['tokens'] },
  'tampered-then-prefill': {
    does: 'decodes with a tampered model, then prefills its tokens through the right one: every root is right, only the tokens are not',
    refutedBy: ['tokens'],
  },
  'break-off': {
    does: 'replaces one token and breaks off before its receipt: only the checkpoint that it signed while it streamed binds it',
    refutedBy: ['tokens'],
  },
} as const satisfies Readonly<Record<string, { readonly does: string; readonly refutedBy: readonly StepId[] }>>;

export type ByzantineStrategy = keyof typeof byzantineStrategies;

export const isByzantineStrategy = (name: unknown): name is ByzantineStrategy =>
  typeof name === 'string' && Object.hasOwn(byzantineStrategies, name);
