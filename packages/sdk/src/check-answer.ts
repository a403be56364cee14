import {
  type Bundle,
  type Hex32,
  isHex32,
  limits as protocolLimits,
  parseBundle,
  receiptAmount,
  receiptDigest,
  recoverSigner,
  toHex,
  uintBE,
} from '@commonweight/protocol';
import { type ChainFacts, type Report, type VerifierModel, verifyBundle } from '@commonweight/verifier';
import { AnswerRefused } from './errors.ts';
import type { NetworkFacts } from './facts.ts';
import { limits } from './limits.ts';
import type { ChatParams } from './types.ts';

export interface CheckOptions {
  readonly facts: NetworkFacts | undefined;
  /** Names that the caller has mapped to ids himself. */
  readonly models: Readonly<Record<string, Hex32>>;
  /** Weights, for a re-execution; without them an answer is at best signed. */
  readonly model: ((modelId: Hex32) => VerifierModel | undefined) | undefined;
  /** Unix seconds. */
  readonly now: () => number;
}

/** What a gateway gave for an answer. */
export interface Shown {
  readonly receipt: unknown;
  readonly text: string;
  /** When it was asked for, Unix seconds. */
  readonly since: number;
}

/** An answer whose receipt holds. */
export interface CheckedAnswer {
  readonly bundle: Bundle;
  readonly report: Report;
  /** What the receipt is for, in the asset's smallest unit. */
  readonly amount: bigint;
}

/**
 * Checks a receipt before anything more is paid for it: that it holds, that it is for what was asked, and that the text is what its ids say where that can be told.
 *
 * @throws AnswerRefused that names what is wrong.
 */
export async function checkAnswer(params: ChatParams, { receipt, text, since }: Shown, options: CheckOptions): Promise<CheckedAnswer> {
  if (receipt === undefined) throw new AnswerRefused('the answer has no receipt', 'no_receipt');
  const bundle = read(receipt);
  requireAsked(params, bundle, options.models);
  requireTime(bundle, since, options.now());
  const chain = options.facts && (await chainFacts(bundle, options.facts));
  const model = options.model?.(bundle.receipt.modelId);
  const report = verifyBundle({ bundle, answerText: text, ...(chain && { chain }), ...(model && { model }) });
  if (report.verdict === 'refuted') {
    const wrong = report.steps.find(({ status }) => status === 'failed');
    throw new AnswerRefused(
      `the receipt does not hold: ${wrong?.title ?? ''}: ${wrong?.detail ?? report.summary}`,
      'receipt_refuted',
      report,
    );
  }
  return { bundle, report, amount: receiptAmount(bundle.receipt) };
}

function read(receipt: unknown): Bundle {
  try {
    return parseBundle(receipt, 'receipt');
  } catch (cause) {
    throw new AnswerRefused(`the answer's receipt cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`, 'no_receipt');
  }
}

/** What the caller asked for and the signed request says; the rendering of messages to ids is not among it. */
function requireAsked(params: ChatParams, { request }: Bundle, models: Readonly<Record<string, Hex32>>): void {
  const require = (what: string, expected: string | number | undefined, got: string | number): void => {
    if (expected !== undefined && expected !== got)
      throw new AnswerRefused(`expected ${what} ${expected}, the signed request says ${got}`, 'another_request');
  };
  require('the model', isHex32(params.model) ? params.model : models[params.model], request.modelId);
  const limit = params.max_completion_tokens ?? params.max_tokens;
  require('the limit of tokens', limit, request.maxTokens);
  const millionths = typeof params.temperature === 'number' ? Math.round(params.temperature * 1e6) : undefined;
  require('the temperature (millionths)', millionths, request.sampler.temperature);
  const seed = typeof params.seed === 'number' ? toHex(uintBE(BigInt.asUintN(128, BigInt(params.seed)), 16)) : undefined;
  require('the seed', seed, request.seed);
  const only = params.provider?.only?.map((id) => id.toLowerCase());
  if (only && !only.includes(request.node))
    throw new AnswerRefused(`expected an answer of ${only.join(' or ')}, node ${request.node} gave it`, 'another_request');
}

/** How long the node has to post the receipt counts from the time in it; and an old answer was not made for this call. */
function requireTime({ receipt: { issuedAt } }: Bundle, since: number, now: number): void {
  const latest = now + protocolLimits.receiptAheadSeconds;
  const earliest = since - limits.receiptBehindSeconds;
  if (issuedAt > latest || issuedAt < earliest)
    throw new AnswerRefused(
      `expected a receipt of a time from ${earliest} to ${latest}, it says ${issuedAt}: is the clock right?`,
      'issued_at',
    );
}

async function chainFacts({ receipt, domain, signature }: Bundle, facts: NetworkFacts): Promise<ChainFacts> {
  const { chainId, receiptLog } = facts;
  if (domain.chainId !== chainId || domain.verifyingContract !== receiptLog)
    throw new AnswerRefused(
      `expected signatures for chain ${chainId}, contract ${receiptLog}, the receipt is for chain ${domain.chainId}, contract ${domain.verifyingContract}`,
      'another_network',
    );
  const node = await facts.node(receipt.node, recoverSigner(receiptDigest(receipt, domain), signature));
  return { chainId, receiptLog, ...(node && { node }) };
}
