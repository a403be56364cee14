import { checkNode, checkModelRegistered } from './checks/chain.ts';
import { coveredLogprobsOutcome } from './checks/logprobs.ts';
import { checkModel } from './checks/model.ts';
import { checkHead, checkPartialCounts, checkPartialRequest, checkPartialStop, checkPartialText } from './checks/partial.ts';
import { checkSigner } from './checks/receipt.ts';
import { tokensOutcome } from './checks/reexecution.ts';
import { checkConsent, checkPrompt } from './checks/request.ts';
import { checkIdsShape } from './checks/shape.ts';
import { type Outcome, skipped } from './outcome.ts';
import { NEEDS_VOCABULARY, lacksVocabulary, reexecute } from './reexecute.ts';
import type { PartialReport, Step, TokenDifference, Verdict } from './report.ts';
import { type PartialStepId, partialStepIds, partialStepTitles } from './step.ts';
import { type PartialSubject, type VerifyPartialInput, partialSubjectOf } from './subject.ts';
import { trustSentences } from './trust.ts';

type Outcomes = Record<PartialStepId, Outcome>;

/**
 * Checks what a node signed of an answer that broke off (SPEC section 28): the first tokens, and nothing else. `verified` says that the model
 * samples exactly these tokens; a token that it does not sample is refuted with the node's signature as evidence.
 *
 * Cost and errors as of {@link verifyBundle}.
 */
export function verifyPartial(input: VerifyPartialInput): PartialReport {
  const subject = partialSubjectOf(input);
  const { completionTokens } = subject.bundle.checkpoint;
  const shape = checkIdsShape(subject);
  const model = checkModel(subject);
  const { tokens, logprobs, difference } = checkTokens(subject, shape, model);
  return makeReport(subject, difference, {
    shape,
    request: checkPartialRequest(subject),
    prompt: checkPrompt(subject),
    counts: checkPartialCounts(subject),
    ids: checkHead(subject),
    stop: checkPartialStop(subject),
    consent: checkConsent(subject),
    signature: checkSigner(subject, 'checkpoint', `the checkpoint over ${completionTokens} tokens`),
    text: shape.status === 'failed' ? skipped('the bundle is malformed') : checkPartialText(subject),
    model,
    tokens,
    logprobs,
    'chain-node': checkNode(subject),
    'chain-model': checkModelRegistered(subject),
  });
}

interface Execution {
  readonly tokens: Outcome;
  readonly logprobs: Outcome;
  readonly difference?: TokenDifference | undefined;
}

function checkTokens(subject: PartialSubject, shape: Outcome, is: Outcome): Execution {
  const neither = (reason: string): Execution => ({ tokens: skipped(reason), logprobs: skipped(reason) });
  if (shape.status === 'failed') return neither('the bundle is malformed');
  if (!subject.model || is.status !== 'passed') return neither('needs the weights of the model that the request names');
  if (lacksVocabulary(subject.bundle.request, subject.model)) return neither(NEEDS_VOCABULARY);
  const run = reexecute(subject, subject.model);
  if (!run) return neither('was interrupted');
  return {
    tokens: tokensOutcome(run, subject.bundle),
    logprobs: coveredLogprobsOutcome(run, subject),
    difference: run.tokenDifference,
  };
}

function makeReport(subject: PartialSubject, difference: TokenDifference | undefined, outcomes: Outcomes): PartialReport {
  const { bundle, requestHash, node, modelId, signer } = subject;
  const { completionTokens } = bundle.checkpoint;
  // a step about something that was not shown would only be noise
  const ids = partialStepIds.filter((id) => id !== 'logprobs' || subject.answerLogprobs !== undefined);
  const steps = ids.map((id): Step => {
    const { open: _, ...outcome } = outcomes[id];
    return { id, title: partialStepTitles[id], ...outcome };
  });
  const verdict = verdictOf(outcomes);
  return {
    verdict,
    summary: summaryOf(verdict, steps, completionTokens),
    checkpoint: {
      requestHash,
      node,
      modelId,
      chainId: bundle.domain.chainId,
      signer: signer ?? null,
      promptTokens: bundle.promptIds.length,
      completionTokens,
    },
    steps,
    ...(difference && { tokenDifference: difference }),
    checked: steps.filter(({ status }) => status === 'passed').map(({ title }) => title),
    notChecked: [
      ...ids.flatMap((id) => {
        const { open, status, detail, title = partialStepTitles[id] } = outcomes[id];
        if (open !== undefined) return [open];
        return status === 'skipped' ? [`${title}: ${detail}`] : [];
      }),
      `everything after token ${completionTokens}: no signature covers it`,
      'a receipt: the answer broke off before it, so nothing was billed, and there is no root over residual digests that could name another model',
    ],
    trust: trustSentences(bundle, subject.answerText),
  };
}

function verdictOf(outcomes: Outcomes): Verdict {
  if (Object.values(outcomes).some(({ status }) => status === 'failed')) return 'refuted';
  return outcomes.tokens.status === 'passed' ? 'verified' : 'unchecked';
}

function summaryOf(verdict: Verdict, steps: readonly Step[], count: number): string {
  const tokens = count === 1 ? 'token' : `${count} tokens`;
  switch (verdict) {
    case 'verified':
      return `Re-executed bit for bit: this model, this prompt and these settings give exactly the first ${tokens} of this answer, which broke off. The verdict covers the first ${tokens} only: there is no receipt and no thin root.`;
    case 'refuted': {
      const wrong = steps.filter(({ status }) => status === 'failed').map(({ id }) => id);
      return `${wrong.length === 1 ? 'The step' : 'The steps'} ${wrong.join(', ')} failed, for the first ${tokens} of an answer that broke off.`;
    }
    case 'unchecked':
      return `Nothing was refuted, but the first ${tokens} of this answer, which broke off, were not re-executed: they count as signed, not as verified.`;
  }
}
