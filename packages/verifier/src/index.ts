export type { BatchFacts, ChainFacts, NodeFacts } from './chain-facts.ts';
export { formatReport } from './format-report.ts';
export { limits as verifierLimits } from './limits.ts';
export { type Saved, type SavedAnswer, type SavedPartial, readSaved } from './read-saved.ts';
export { type Replay, type ReplayInput, replay } from './replay.ts';
export {
  type PartialReport,
  type PlaceDifference,
  type Report,
  type Step,
  type StepStatus,
  type TokenDifference,
  type Verdict,
  exitCodes,
} from './report.ts';
export { SavedError } from './saved-error.ts';
export { type StepId, stepIds, stepTitles } from './step.ts';
export type { VerifierModel, VerifyInput, VerifyPartialInput } from './subject.ts';
export { verifyBundle } from './verify-bundle.ts';
export { verifyPartial } from './verify-partial.ts';
