import type { Address, FinishReason, Hex32, ModelId } from '@commonweight/protocol';
import type { StepId } from './step.ts';

export type Verdict = 'verified' | 'refuted' | 'unchecked';

/** Exit codes of `commonweight verify`. */
export const exitCodes = { verified: 0, refuted: 1, unchecked: 2 } as const satisfies Readonly<Record<Verdict, number>>;

export type StepStatus = 'passed' | 'failed' | 'skipped';

export interface Step {
  readonly id: StepId;
  readonly title: string;
  readonly status: StepStatus;
  /** What was compared with what, or why the step could not be done. */
  readonly detail: string;
}

/** The first place at which the node's residual digests and the re-executed ones differ. */
export interface PlaceDifference {
  readonly position: number;
  /** Index into the manifest's commit points. */
  readonly commitPoint: number;
  readonly layer: number;
  readonly committed: Hex32;
  readonly computed: Hex32;
}

/** The first generated position at which the model samples another id than the bundle claims. */
export interface TokenDifference {
  /** Absolute position of the token. */
  readonly position: number;
  /** Index in the answer. */
  readonly index: number;
  readonly claimed: number;
  readonly sampled: number;
}

/** All values are JSON. */
export interface Report {
  readonly verdict: Verdict;
  /** One sentence. */
  readonly summary: string;
  readonly receipt: {
    readonly id: Hex32;
    readonly node: Address;
    readonly modelId: ModelId;
    readonly chainId: number;
    /** Who signed the receipt; null when the signature is malformed. */
    readonly signer: Address | null;
    readonly promptTokens: number;
    readonly completionTokens: number;
    readonly finishReason: FinishReason;
  };
  readonly steps: readonly Step[];
  readonly tokenDifference?: TokenDifference;
  readonly placeDifference?: PlaceDifference;
  /** Titles of the steps that passed. */
  readonly checked: readonly string[];
  readonly notChecked: readonly string[];
  /** What the verdict cannot say: shown wherever the verdict is shown. */
  readonly trust: readonly string[];
}
