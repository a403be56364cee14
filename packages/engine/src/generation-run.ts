import {
  CommonweightError,
  type Manifest,
  type SamplerSettings,
  type Sha256,
  type ThinCommitment,
  type TokenLogprobs,
} from '@commonweight/protocol';
import type { ForwardObserver, Sequence } from './executor.ts';
import type { TokenVocabulary } from './grammar/token-vocabulary.ts';
import { commitTo } from './residual-commitment.ts';
import { tokenLogprobs } from './sampler/logprobs.ts';
import { NO_ID } from './sampler/not-allowed.ts';
import { Sampler } from './sampler/sampler.ts';

/** What a run is asked for. */
export interface RunOptions {
  /** One or more. */
  readonly promptIds: readonly number[];
  readonly sampler: SamplerSettings;
  /** See `prfKey` of the protocol: completion token i is drawn with position `promptIds.length + i`. */
  readonly prfKey: Uint8Array;
  /** Ids that end the answer; the id itself is part of it. */
  readonly stopIds: readonly number[];
  /** 0 runs the prompt alone. */
  readonly maxTokens: number;
  /** The bytes of the model's tokens; needed when the sampler has a grammar. */
  readonly vocabulary?: TokenVocabulary | undefined;
  /** 0 to 20: every token comes with its log probability and those of so many likeliest ids; none by default. */
  readonly logprobs?: number | undefined;
}

/** One token of an answer. */
export interface SampledToken {
  readonly id: number;
  /** From 0. */
  readonly index: number;
  /** Present when the run asks for them. */
  readonly logprobs?: TokenLogprobs;
}

export interface GenerationResult {
  readonly completionIds: number[];
  readonly finish: 'stop_id' | 'length' | 'stopped';
  /** Over `committedPositions(prompt, completion)` positions; fewer only when it was stopped within the prompt. */
  readonly commitment: ThinCommitment;
}

/** Positions of the sequence that a run needs: the last token of the answer is never run. Throws for options that no run can have. */
export function positionsOf({ promptIds, maxTokens }: RunOptions): number {
  if (promptIds.length === 0)
    throw new CommonweightError('promptIds: expected one or more, got none', { code: 'generation', field: 'promptIds' });
  if (!Number.isSafeInteger(maxTokens) || maxTokens < 0) {
    throw new CommonweightError(`maxTokens: expected 0 or more, got ${maxTokens}`, { code: 'generation', field: 'maxTokens' });
  }
  return promptIds.length + Math.max(maxTokens, 1) - 1;
}

/**
 * One run from prompt to answer as a state machine: says which ids come next and takes what came of them. Whoever drives it calls an executor in between, alone or in
 * a batch, and gives the sequence's memory back.
 */
export class GenerationRun {
  readonly options: RunOptions;
  readonly sequence: Sequence;
  readonly completionIds: number[] = [];
  readonly commitment: ThinCommitment;
  /** To be passed with every id of the run. */
  readonly observer: ForwardObserver;
  readonly #sampler: Sampler;
  readonly #stopIds: ReadonlySet<number>;
  #sampled: Omit<SampledToken, 'index'> | undefined;
  #finish: 'stop_id' | 'length' | undefined;

  /** @param sequence - an empty one of at least {@link positionsOf} positions */
  constructor(options: RunOptions, sequence: Sequence, manifest: Manifest, sha256?: Sha256) {
    const { promptIds, maxTokens, sampler: settings, prfKey, stopIds, vocabulary } = options;
    const { commitment, onResidual } = commitTo(manifest, sha256);
    this.options = options;
    this.sequence = sequence;
    this.commitment = commitment;
    this.#sampler = new Sampler({ settings, prfKey, promptIds, stopIds, vocabulary });
    this.#stopIds = new Set(options.stopIds);
    this.observer = {
      onResidual,
      logitsFrom: maxTokens > 0 ? promptIds.length - 1 : Infinity,
      onLogits: (_position, logits) => {
        const id = this.#sampler.sample(logits);
        if (id === NO_ID) throw grammarStuck();
        this.#sampled = { id, ...(options.logprobs !== undefined && { logprobs: tokenLogprobs(logits, id, options.logprobs) }) };
      },
    };
  }

  get prefilled(): boolean {
    return this.sequence.length >= this.options.promptIds.length;
  }

  /** How the run ended by itself. */
  get finish(): 'stop_id' | 'length' | undefined {
    return this.prefilled && this.options.maxTokens === 0 ? 'length' : this.#finish;
  }

  /** A token was sampled and not taken yet. */
  get hasToken(): boolean {
    return this.#sampled !== undefined;
  }

  /** Prompt positions that another sequence has run already: `digests` are those of their commit points. Before anything is run. */
  reuse(source: Sequence, positions: number, digests: Uint8Array): void {
    this.sequence.copyFrom(source, positions);
    for (let at = 0; at < positions * this.commitment.points * 32; at += 32) this.commitment.append(digests.slice(at, at + 32));
  }

  /** Ids to run next: at most `most` of the prompt, or the token that was taken last. */
  next(most: number): readonly number[] {
    const { promptIds } = this.options;
    const { length } = this.sequence;
    return length < promptIds.length ? promptIds.slice(length, length + most) : this.completionIds.slice(-1);
  }

  /** The sampled token becomes part of the answer. */
  take(): SampledToken {
    const sampled = this.#sampled;
    if (!sampled) throw new Error('no token was sampled');
    const { id } = sampled;
    this.#sampled = undefined;
    this.completionIds.push(id);
    this.#sampler.accept(id);
    if (this.#stopIds.has(id)) this.#finish = 'stop_id';
    else if (this.completionIds.length === this.options.maxTokens) this.#finish = 'length';
    return { ...sampled, index: this.completionIds.length - 1 };
  }

  result(finish: GenerationResult['finish']): GenerationResult {
    const { completionIds, commitment } = this;
    return { completionIds, finish, commitment };
  }
}

/** The vocabulary cannot spell what the grammar wants. */
const grammarStuck = (): CommonweightError =>
  new CommonweightError("sampler.grammar: no token of the model's vocabulary goes on here, and the text is not complete", {
    code: 'grammar_stuck',
    field: 'sampler.grammar',
  });
