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

/** What the reports of a whole answer and of a broken one share. All values are JSON. */
interface ReportBase {
  readonly verdict: Verdict;
  /** One sentence. */
  readonly summary: string;
  readonly steps: readonly Step[];
  readonly tokenDifference?: TokenDifference;
  /** Titles of the steps that passed. */
  readonly checked: readonly string[];
  readonly notChecked: readonly string[];
  /** What the verdict cannot say: shown wherever the verdict is shown. */
  readonly trust: readonly string[];
}

/** What was signed, by whom. */
interface Signed {
  readonly node: Address;
  readonly modelId: ModelId;
  readonly chainId: number;
  /** Who signed it; null when the signature is malformed. */
  readonly signer: Address | null;
  readonly promptTokens: number;
  readonly completionTokens: number;
}

export interface Report extends ReportBase {
  readonly receipt: Signed & { readonly id: Hex32; readonly finishReason: FinishReason };
  readonly placeDifference?: PlaceDifference;
}

/** About an answer that broke off: the verdict is on the tokens that its last checkpoint covers. */
export interface PartialReport extends ReportBase {
  readonly checkpoint: Signed & { readonly requestHash: Hex32 };
}
