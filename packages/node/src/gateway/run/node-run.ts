import {
  type Address,
  type AskedPart,
  BUNDLE_VERSION,
  type Bundle,
  type End,
  type EndRequest,
  type Frame,
  type Hex32,
  type LogprobEntry,
  PARTIAL_VERSION,
  type PartialBundle,
  type RunRequest,
  type SignedCheckpoint,
  type TokenLogprobs,
  logprobEntry,
} from '@commonweight/protocol';
import { gatewayLimits as limits } from '../../limits.ts';
import type { Clock } from '../../platform/clock.ts';
import { type Answered, type Asked, type TextCheck, checkAnswer } from '../check/check-answer.ts';
import type { Provable } from '../check/provable.ts';
import { StreamProof } from '../check/stream-proof.ts';
import type { Candidate } from '../network/route.ts';
import { NodeFailure } from '../network/node-failure.ts';
import type { WorkerClient } from '../network/worker-client.ts';
import type { RunPayment } from '../pay/payments.ts';
import { decodeAll } from '../text/chat-model.ts';
import { StopMatcher } from '../text/stop-strings.ts';
import { FrameDeadline } from './frame-deadline.ts';
import type { Job, Sink } from './job.ts';
import { type AskedNode, type Payer, type SignedRequest, signEnd, signRequest } from './sign-request.ts';

export interface NodeRunOptions {
  readonly job: Job;
  readonly candidate: Candidate;
  readonly payer: Payer;
  readonly asked: AskedNode;
  readonly payment: Pick<RunPayment, 'header' | 'accepted'>;
  readonly client: WorkerClient;
  readonly clock: Clock;
  readonly draw32: () => Hex32;
  /** The node's session key, read from the chain now. */
  readonly currentKey: () => Promise<Address>;
  readonly sink: Sink;
  /** Aborted when the client has gone away. */
  readonly gone: AbortSignal;
}

/** What a node gave, not checked yet. */
export interface NodeAnswer {
  readonly asked: Asked;
  readonly answered: Answered;
  readonly text: TextCheck;
  /** Text that was held back as the possible beginning of a stop string. */
  readonly tail: string;
  /** Log probabilities that have not been handed on. */
  readonly tailLogprobs: readonly LogprobEntry[];
  /** A stop string was completed. */
  readonly stopped: boolean;
  /** Prompt tokens that the node says it knew already. Nobody can check that, and nothing is paid by it. */
  readonly cachedTokens: number;
  /** The node's last checkpoint of it. */
  readonly checkpoint: SignedCheckpoint | undefined;
  /** What the node says that it took for a paid run: the value of `PAYMENT-RESPONSE`. */
  readonly settlement: string | undefined;
  readonly bundleOf: (completionIds: readonly number[]) => Bundle;
}

/** One run at one node: frames in, text out, an end when a stop string is complete or the client has gone. */
export class NodeRun {
  readonly #o: NodeRunOptions;
  readonly #signed: SignedRequest;
  readonly #ids: number[] = [];
  readonly #matcher: StopMatcher;
  readonly #decoder;
  readonly #proof: StreamProof;
  readonly #abort = new AbortController();
  readonly #deadline: FrameDeadline;
  #streamed = '';
  #streamedTokens = 0;
  #stopped = false;
  #heard = false;
  /** Log probabilities of tokens whose text has not been handed on. */
  readonly #entries: LogprobEntry[] = [];
  #cachedTokens = 0;
  /** Where a stop string ended the text, also when the run was over by itself by then. */
  #textEnd: EndRequest | undefined;
  #end: { readonly sent: EndRequest; readonly confirmed: Promise<boolean> } | undefined;

  constructor(options: NodeRunOptions) {
    this.#o = options;
    this.#signed = signRequest(options.job, options.asked, options.payer, options.draw32);
    const { requestHash, nonce } = this.#signed;
    const { payer, candidate, currentKey } = options;
    this.#proof = new StreamProof({ requestHash, nonce, domain: payer.domain, sessionKey: candidate.sessionKey, currentKey });
    this.#matcher = new StopMatcher(options.job.stopStrings);
    this.#decoder = options.job.model.newDecoder();
    this.#deadline = new FrameDeadline(options.clock, this.#abort);
  }

  get requestHash(): Hex32 {
    return this.#signed.requestHash;
  }

  /** What is provable of the answer without a receipt; undefined before the first checkpoint. */
  get provable(): Provable | undefined {
    const { last } = this.#proof;
    if (!last) return undefined;
    const covered = last.checkpoint.completionTokens;
    return { partial: this.#partial(last, this.#ids.slice(0, covered)), unproven: Math.max(this.#streamedTokens - covered, 0) };
  }

  /** What the node signed, beside the ids that it sent: set when the two contradict each other. */
  get refused(): PartialBundle | undefined {
    const { refused } = this.#proof;
    return refused && this.#partial(refused, this.#ids);
  }

  /** @throws NodeFailure when the node gives no answer, ReceiptInvalid when a checkpoint contradicts what it sent. */
  async start(): Promise<NodeAnswer> {
    const { gone, client, candidate, job, payment } = this.#o;
    const cancel = (): void => {
      // a node that has not said anything may not know the run yet: then there is nothing to end, and nothing to pay
      if (this.#heard) this.#sendEnd('cancelled');
      else this.#abort.abort(new NodeFailure('refused', 'the client went away'));
    };
    gone.addEventListener('abort', cancel);
    try {
      const { request, signature, nonce } = this.#signed;
      const body: RunRequest = {
        request,
        signature,
        promptIds: job.promptIds,
        nonce,
        ...(job.logprobs !== undefined && { logprobs: job.logprobs }),
      };
      return await this.#read(client.run(candidate.url, body, { signal: this.#abort.signal, payment: payment.header }));
    } finally {
      gone.removeEventListener('abort', cancel);
      this.#deadline.close();
    }
  }

  async #read(frames: ReturnType<WorkerClient['run']>): Promise<NodeAnswer> {
    let progress = 0;
    for await (const frame of frames) {
      if (!this.#heard) this.#o.payment.accepted();
      this.#heard = true;
      this.#deadline.frame(frame.type === 'token');
      switch (frame.type) {
        case 'queued':
        case 'prefill':
          if (++progress > limits.progressFrames)
            throw new NodeFailure('malformed', `the node sent more than ${limits.progressFrames} progress frames`);
          if (frame.type === 'prefill') this.#prefill(frame.total, frame.cached);
          break;
        case 'token':
          this.#token(frame);
          break;
        case 'checkpoint':
          await this.#proof.checkpoint(frame);
          break;
        case 'receipt':
          this.#proof.complete();
          return this.#answer(frame);
      }
    }
    throw new NodeFailure('unreachable', 'the node closed the connection before its receipt');
  }

  #prefill(total: number, cached: number): void {
    const { length } = this.#o.job.promptIds;
    if (total !== length) throw new NodeFailure('malformed', `the prompt has ${length} tokens, the node speaks of ${total}`);
    this.#cachedTokens = cached;
  }

  #token({ index, id, logprobs }: Extract<Frame, { type: 'token' }>): void {
    const malformed = (message: string): never => {
      throw new NodeFailure('malformed', message);
    };
    if (index !== this.#ids.length) malformed(`expected token ${this.#ids.length}, the node sent token ${index}`);
    if (this.#overByItself()) malformed('the node sent a token after the run had ended');
    const { vocabulary } = this.#o.job.model.manifest.graph;
    if (id >= vocabulary) malformed(`expected an id below ${vocabulary}, the node sent ${id}`);
    const entry = this.#entry(id, logprobs, malformed);
    this.#proof.token(id);
    this.#ids.push(id);
    if (this.#end || this.#stopped) return;
    // the id that ends an answer has no text
    if (entry && !this.#signed.request.stopIds.includes(id)) this.#entries.push(entry);
    this.#show(this.#decoder.push(id), this.#ids.length);
    if (this.#stopped) {
      this.#streamed += this.#decoder.flush();
      this.#sendEnd('stop_string');
    }
  }

  #show(text: string, tokens: number): void {
    this.#streamed += text;
    this.#streamedTokens = tokens;
    const step = this.#matcher.push(text);
    this.#stopped = step.stopped;
    if (step.deliver !== '') this.#o.sink.text(step.deliver, this.#entries.splice(0));
  }

  /** Whether the numbers are the model's only re-execution can tell; that they are there, and are possible, is told here. */
  #entry(id: number, logprobs: TokenLogprobs | undefined, malformed: (message: string) => never): LogprobEntry | undefined {
    const { logprobs: wanted, model } = this.#o.job;
    if (wanted === undefined || !logprobs) {
      if ((wanted === undefined) !== (logprobs === undefined)) malformed(`log probabilities were ${logprobs ? 'not ' : ''}asked for`);
      return undefined;
    }
    const { vocabulary } = model.manifest.graph;
    const { logprob, top } = logprobs;
    if (top.length !== Math.min(wanted, vocabulary)) malformed(`expected ${wanted} likeliest ids, the node sent ${top.length}`);
    if (top.some(([of]) => of >= vocabulary)) malformed(`expected likeliest ids below ${vocabulary}`);
    if (top.some(([of, value]) => of === id && value !== logprob)) malformed('the node sent two log probabilities of one token');
    return logprobEntry(id, logprobs, model.tokenText);
  }

  /** The run is over under its own rules: nobody has to end it. */
  #overByItself(): boolean {
    const last = this.#ids.at(-1);
    return this.#ids.length === this.#signed.request.maxTokens || (last !== undefined && this.#signed.request.stopIds.includes(last));
  }

  #sendEnd(reason: 'stop_string' | 'cancelled'): void {
    if (this.#end || this.#abort.signal.aborted) return;
    this.#deadline.ended();
    if (this.#overByItself()) {
      if (reason === 'stop_string') this.#textEnd = this.#signEnd(reason);
      return;
    }
    const { client, candidate } = this.#o;
    this.#proof.endAt(this.#ids.length);
    const sent = this.#signEnd(reason);
    if (reason === 'stop_string') this.#textEnd = sent;
    const confirmed = client.end(candidate.url, sent).catch((error: unknown) => {
      // the run goes on; whether the end arrived shows in the receipt, and the deadline holds in any case
      if (error instanceof NodeFailure) return false;
      throw error;
    });
    // awaited with the receipt; without one the failure of the run is what counts
    confirmed.catch(() => undefined);
    this.#end = { sent, confirmed };
  }

  #signEnd(reason: End['reason']): EndRequest {
    return signEnd({ requestHash: this.#signed.requestHash, completionTokens: this.#ids.length, reason }, this.#o.payer);
  }

  async #answer(frame: Extract<Frame, { type: 'receipt' }>): Promise<NodeAnswer> {
    const { job, payer, candidate } = this.#o;
    const signed = this.#signed;
    if (!this.#stopped) {
      const rest = this.#decoder.flush();
      this.#show(rest, this.#streamedTokens);
      if (this.#stopped) this.#textEnd = this.#signEnd('stop_string');
    }
    const { receipt, signature, digests, settlement } = frame;
    const confirmed = (await this.#end?.confirmed) ?? false;
    const end = this.#end?.sent;
    const ended = receipt.finishReason === 'stop_string' || receipt.finishReason === 'cancelled' ? end : this.#textEnd;
    return {
      asked: {
        domain: payer.domain,
        sessionKey: candidate.sessionKey,
        request: signed.request,
        promptIds: job.promptIds,
        nonce: signed.nonce,
        commitPoints: job.model.manifest.graph.commitPoints.length,
        vocabulary: job.model.manifest.graph.vocabulary,
        receivedAt: Math.floor(this.#o.clock.now() / 1000),
        checkpoint: this.#proof.last?.checkpoint,
        end: end && { end: end.end, confirmed },
      },
      answered: { ids: this.#ids, receipt, signature, digests },
      text: { streamed: this.#streamed, tokens: this.#streamedTokens, decode: (ids) => decodeAll(job.model, ids) },
      tail: this.#matcher.flush(),
      tailLogprobs: this.#entries.splice(0),
      stopped: this.#stopped,
      cachedTokens: this.#cachedTokens,
      checkpoint: this.#proof.last,
      settlement,
      bundleOf: (completionIds) => ({
        version: BUNDLE_VERSION,
        ...this.#askedPart(completionIds),
        receipt,
        signature,
        ...(ended && { end: ended }),
        digests,
      }),
    };
  }

  #askedPart(completionIds: readonly number[]): AskedPart {
    const { request, signature, nonce, auditSalt, auditConsent } = this.#signed;
    const { payer, job } = this.#o;
    const { promptIds } = job;
    return { domain: payer.domain, request, requestSignature: signature, nonce, auditSalt, auditConsent, promptIds, completionIds };
  }

  #partial({ checkpoint, signature }: SignedCheckpoint, completionIds: readonly number[]): PartialBundle {
    return { version: PARTIAL_VERSION, ...this.#askedPart(completionIds), checkpoint, signature };
  }
}

/** Checks the answer; a node that changed its session key meanwhile is looked up again once. */
export const checkNodeAnswer = (answer: NodeAnswer, asked: Asked = answer.asked): readonly number[] =>
  checkAnswer(asked, answer.answered, answer.text);
