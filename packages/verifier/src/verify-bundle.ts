import { checkCounts, checkEnd, checkIds, checkStop, checkText } from './checks/answer.ts';
import { checkBatch, checkModelRegistered, checkNode } from './checks/chain.ts';
import { logprobsOutcome } from './checks/logprobs.ts';
import { checkDigests, checkModel } from './checks/model.ts';
import { checkAmount, checkSignature } from './checks/receipt.ts';
import { executionOutcome, findPlace, tokensOutcome } from './checks/reexecution.ts';
import { checkConsent, checkPrompt, checkRequest, checkTerms } from './checks/request.ts';
import { checkShape } from './checks/shape.ts';
import { type Outcome, skipped } from './outcome.ts';
import { NEEDS_VOCABULARY, lacksVocabulary, reexecute } from './reexecute.ts';
import type { PlaceDifference, Report, Step, TokenDifference, Verdict } from './report.ts';
import { type StepId, stepIds, stepTitles } from './step.ts';
import { type Subject, type VerifyInput, subjectOf } from './subject.ts';
import { trustSentences } from './trust.ts';

type Outcomes = Record<StepId, Outcome>;

/**
 * Checks a bundle step by step; a failed step does not end the others. Only a whole re-execution gives `verified`, any failed step
 * gives `refuted`, and everything else is `unchecked`.
 *
 * Cost: one prefill of prompt and answer, and the head at every generated position. Synchronous: run it in a worker where a thread must not block.
 *
 * @throws CommonweightError when the executor fails (memory); never because of what the bundle claims, nor when `decode` fails.
 */
export function verifyBundle(input: VerifyInput): Report {
  const subject = subjectOf(input);
  const before = {
    shape: checkShape(subject),
    request: checkRequest(subject),
    terms: checkTerms(subject),
    prompt: checkPrompt(subject),
    ids: checkIds(subject),
    counts: checkCounts(subject),
    stop: checkStop(subject),
    end: checkEnd(subject),
    consent: checkConsent(subject),
    signature: checkSignature(subject),
    amount: checkAmount(subject),
    model: checkModel(subject),
    digests: checkDigests(subject),
  };
  const { tokens, logprobs, execution, ...differences } = checkExecution(subject, before);
  const outcomes: Outcomes = {
    ...before,
    text: before.shape.status === 'failed' ? skipped('the bundle is malformed') : checkText(subject),
    tokens,
    logprobs,
    execution,
    'chain-batch': checkBatch(subject),
    'chain-node': checkNode(subject),
    'chain-model': checkModelRegistered(subject),
  };
  return makeReport(subject, outcomes, differences);
}

interface Execution {
  readonly tokens: Outcome;
  readonly logprobs: Outcome;
  readonly execution: Outcome;
  readonly tokenDifference?: TokenDifference;
  readonly placeDifference?: PlaceDifference;
}

function checkExecution(subject: Subject, before: Pick<Outcomes, 'shape' | 'model' | 'digests'>): Execution {
  const { bundle, model } = subject;
  const neither = (reason: string): Execution => ({ tokens: skipped(reason), logprobs: skipped(reason), execution: skipped(reason) });
  if (before.shape.status === 'failed') return neither('the bundle is malformed');
  if (!model || before.model.status !== 'passed') return neither('needs the weights of the model that the receipt names');
  if (lacksVocabulary(bundle.request, model)) return neither(NEEDS_VOCABULARY);
  const run = reexecute(subject, model);
  if (!run) return neither('was interrupted');
  const place = bundle.digests && before.digests.status === 'passed' ? findPlace(run, bundle.digests, model) : undefined;
  return {
    tokens: tokensOutcome(run, bundle),
    logprobs: logprobsOutcome(run, subject),
    execution: executionOutcome(run, bundle, place),
    ...(run.tokenDifference && { tokenDifference: run.tokenDifference }),
    ...(place && { placeDifference: place }),
  };
}

function makeReport(subject: Subject, outcomes: Outcomes, differences: Pick<Report, 'tokenDifference' | 'placeDifference'>): Report {
  const { bundle, receiptId, signer } = subject;
  // a step about something that was not shown would only be noise
  const steps = stepIds
    .filter((id) => id !== 'logprobs' || subject.answerLogprobs !== undefined)
    .map((id): Step => {
      const { open: _, ...outcome } = outcomes[id];
      return { id, title: stepTitles[id], ...outcome };
    });
  const titles = (wanted: Step['status']): string[] => steps.filter(({ status }) => status === wanted).map(({ title }) => title);
  const verdict = verdictOf(outcomes);
  return {
    verdict,
    summary: summaryOf(
      verdict,
      steps,
      subject.answerText !== undefined && outcomes.text.status === 'skipped' ? outcomes.text.detail : undefined,
    ),
    receipt: {
      id: receiptId,
      node: bundle.receipt.node,
      modelId: bundle.receipt.modelId,
      chainId: bundle.domain.chainId,
      signer: signer ?? null,
      promptTokens: bundle.receipt.promptTokens,
      completionTokens: bundle.receipt.completionTokens,
      finishReason: bundle.receipt.finishReason,
    },
    steps,
    ...differences,
    checked: titles('passed'),
    notChecked: steps.flatMap(({ id, title, status, detail }) => {
      const { open } = outcomes[id];
      if (open !== undefined) return [open];
      return status === 'skipped' && !(id === 'end' && !needsEnd(subject)) ? [`${title}: ${detail}`] : [];
    }),
    trust: trustSentences(bundle, subject.answerText),
  };
}

const needsEnd = ({ bundle: { receipt } }: Subject): boolean =>
  receipt.finishReason === 'stop_string' || receipt.finishReason === 'cancelled';

function verdictOf(outcomes: Outcomes): Verdict {
  if (Object.values(outcomes).some(({ status }) => status === 'failed')) return 'refuted';
  return outcomes.tokens.status === 'passed' && outcomes.execution.status === 'passed' ? 'verified' : 'unchecked';
}

function summaryOf(verdict: Verdict, steps: readonly Step[], textOpen: string | undefined): string {
  switch (verdict) {
    case 'verified':
      return `Re-executed bit for bit: this model, this prompt and these settings give exactly these tokens.${
        textOpen === undefined ? '' : ` The text that was shown was not confirmed to be all of what they say: ${textOpen}.`
      }`;
    case 'refuted': {
      const wrong = steps.filter(({ status }) => status === 'failed').map(({ id }) => id);
      return `${wrong.length === 1 ? 'The step' : 'The steps'} ${wrong.join(', ')} failed.`;
    }
    case 'unchecked':
      return 'Nothing was refuted, but the answer was not re-executed: it counts as signed, not as verified.';
  }
}
