import {
  type Address,
  type Bundle,
  DecodeError,
  type Hex32,
  type PartialBundle,
  type LogprobEntry,
  type Receipt,
  type SignedCheckpoint,
  parseReceipt,
  receiptDigest,
  requestHashOf,
} from '@commonweight/protocol';
import { gatewayLimits as limits } from '../../limits.ts';
import type { Clock } from '../../platform/clock.ts';
import { ApiError } from '../api-error.ts';
import type { Provable } from '../check/provable.ts';
import type { ReceiptChains } from '../check/receipt-chains.ts';
import { ReceiptInvalid } from '../check/receipt-invalid.ts';
import type { GatewayLog } from '../log.ts';
import type { NodeDirectory } from '../network/node-directory.ts';
import { NodeFailure } from '../network/node-failure.ts';
import { PaymentDemanded } from '../network/payment-demanded.ts';
import { type Candidate, route } from '../network/route.ts';
import type { WorkerClient } from '../network/worker-client.ts';
import type { Payments, RunPayment } from '../pay/payments.ts';
import type { GatewayStore } from '../store/gateway-store.ts';
import { allFailed, brokenOff, refusedAnswer, withProof } from './failed-answer.ts';
import type { Job, Sink } from './job.ts';
import { type NodeAnswer, NodeRun, checkNodeAnswer } from './node-run.ts';
import type { Payer } from './sign-request.ts';

/** An answer that passed every check; its bundle is on disk. */
export interface Completion {
  readonly bundle: Bundle;
  readonly receiptId: Hex32;
  /** Text that was held back until now. */
  readonly tail: string;
  readonly tailLogprobs: readonly LogprobEntry[];
  readonly finishReason: 'stop' | 'length';
  /** Prompt tokens that the node says it did not run again. */
  readonly cachedTokens: number;
  /** Of a client that paid by itself: the value of `PAYMENT-RESPONSE`. */
  readonly settlement: string | undefined;
}

export interface CompleterOptions {
  readonly payer: Payer;
  readonly client: WorkerClient;
  readonly directory: NodeDirectory;
  readonly store: GatewayStore;
  readonly chains: ReceiptChains;
  readonly clock: Clock;
  readonly draw32: () => Hex32;
  readonly log: GatewayLog;
}

/** One request of a client. */
interface Call {
  readonly job: Job;
  readonly payments: Payments;
  readonly sink: Sink;
  readonly gone: AbortSignal;
}

/** The client has gone away before there was an answer, or the gateway stops. */
export class ClientGone extends Error {
  override readonly name = 'ClientGone';
}

/** Runs jobs: asks nodes one after the other until one answers, checks the answer, keeps its bundle. */
export class Completer {
  readonly #o: CompleterOptions;
  readonly #running = new Set<Promise<unknown>>();
  readonly #stop = new AbortController();
  #closing = false;

  constructor(options: CompleterOptions) {
    this.#o = options;
  }

  /**
   * @param gone - aborted when the client goes away: the run is ended, its receipt still kept.
   * @throws ApiError, ClientGone.
   */
  async complete(job: Job, payments: Payments, sink: Sink, gone: AbortSignal): Promise<Completion> {
    const completion = this.#complete({ job, payments, sink, gone: AbortSignal.any([gone, this.#stop.signal]) });
    this.#running.add(completion);
    try {
      return await completion;
    } finally {
      this.#running.delete(completion);
    }
  }

  /** Gives answers in progress a moment, then ends them and waits for their receipts; at most a few seconds. */
  async stop(): Promise<void> {
    this.#closing = true;
    await this.#settled(limits.finishMs);
    this.#stop.abort();
    await this.#settled(limits.cancelMs);
  }

  #settled(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#o.clock.after(ms, resolve);
      void Promise.allSettled(this.#running).then(() => {
        cancel();
        resolve();
      });
    });
  }

  async #complete(call: Call): Promise<Completion> {
    const provable: Provable[] = [];
    try {
      return await this.#askNodes(call, provable);
    } catch (error) {
      throw error instanceof ApiError ? withProof(error, provable) : error;
    }
  }

  /** @param provable - gets what is provable of answers that broke off. */
  async #askNodes(call: Call, provable: Provable[]): Promise<Completion> {
    const { job, payments, sink, gone } = call;
    if (this.#closing) throw new ApiError('the gateway is stopping', { status: 503, code: 'stopping' });
    const failures: NodeFailure[] = [];
    const candidates = await payments.candidates(job, await this.#candidates(job));
    for (const candidate of candidates.slice(0, limits.attempts)) {
      if (gone.aborted) throw new ClientGone();
      try {
        return await this.#askPaid(candidate, call, provable);
      } catch (error) {
        if (!(error instanceof NodeFailure)) throw error;
        // what a node says to our own end is no failure of it
        if (gone.aborted) throw new ClientGone();
        if (error.kind !== 'busy') this.#o.directory.failed(candidate.node);
        this.#o.log.warn('node_failed', { node: candidate.node, kind: error.kind });
        failures.push(error);
        if (!sink.restart()) throw brokenOff(candidate.node, error);
      }
    }
    throw allFailed(failures);
  }

  async #candidates(job: Job): Promise<Candidate[]> {
    const { directory, clock } = this.#o;
    const find = async (maxAgeMs?: number): Promise<Candidate[]> =>
      route(await directory.nodes(maxAgeMs), job.model.modelId, job.provider, clock.now());
    try {
      const candidates = await find();
      if (candidates[0]!.health.status === 'ok') return candidates;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
    }
    // a node may have registered, moved or come back a moment ago
    return find(0);
  }

  /** A node that wants to be paid otherwise is asked again, with a request of its own. */
  async #askPaid(candidate: Candidate, call: Call, provable: Provable[]): Promise<Completion> {
    for (let left: number = limits.paymentTries; ; left--) {
      const payment = await call.payments.begin(call.job, candidate);
      try {
        return await this.#ask(candidate, call, payment, provable);
      } catch (error) {
        if (!(error instanceof PaymentDemanded) || call.gone.aborted) throw error;
        if (!(await payment.demanded(error)) || left === 1) throw error;
      } finally {
        // without effect where its end is known
        await payment.lost();
      }
    }
  }

  async #ask(candidate: Candidate, { job, sink, gone }: Call, payment: RunPayment, provable: Provable[]): Promise<Completion> {
    const { directory, payer, client, clock, draw32 } = this.#o;
    const over = directory.begin(candidate.node);
    const currentKey = () => this.#currentKey(candidate);
    // a candidate serves the model, so its registry entry has a price for it
    const price = candidate.prices.find((one) => one.modelId === job.model.modelId)!;
    const asked = { node: candidate.node, price, ...payment.money };
    const run = new NodeRun({ job, candidate, payer, asked, payment, client, clock, draw32, currentKey, sink, gone });
    try {
      sink.asked(candidate.node, run.requestHash);
      return await this.#answer(run, candidate, payment);
    } catch (error) {
      const notBilled = error instanceof NodeFailure && (error.kind === 'busy' || error.kind === 'refused');
      if ((notBilled && !(error instanceof PaymentDemanded)) || error instanceof ClientGone) await payment.released();
      // whatever else went wrong (the chain, the disk): what the node signed stays provable
      const broken = error instanceof ClientGone ? undefined : run.provable;
      if (broken) {
        provable.push(broken);
        await this.#keepPartial(broken);
      }
      throw error;
    } finally {
      over();
    }
  }

  async #answer(run: NodeRun, candidate: Candidate, payment: RunPayment): Promise<Completion> {
    const { store, log } = this.#o;
    const answer = await this.#hear(run, candidate.node);
    const { ids, candidate: current } = await this.#check(answer, candidate);
    const bundle = answer.bundleOf(ids);
    const receiptId = receiptDigest(bundle.receipt, bundle.domain);
    // kept first: from here on only a proof against the node may cost the client its answer
    await store.putBundle(bundle);
    await this.#link(receiptId, bundle.receipt, current, answer, ids);
    const settlement = await this.#charge(payment, bundle.receipt, answer, ids);
    log.info('answer_checked', { node: candidate.node, receipt: receiptId, finish: bundle.receipt.finishReason, tokens: ids.length });
    // whoever still listens must not take a cut text for a whole one
    if (bundle.receipt.finishReason === 'cancelled') throw new ClientGone();
    const finishReason = bundle.receipt.finishReason === 'length' && !answer.stopped ? 'length' : 'stop';
    const { tail, tailLogprobs, cachedTokens } = answer;
    return { bundle, receiptId, tail, tailLogprobs, finishReason, cachedTokens, settlement };
  }

  async #charge(payment: RunPayment, receipt: Receipt, answer: NodeAnswer, ids: readonly number[]): Promise<string | undefined> {
    try {
      return await payment.charged(receipt, answer.settlement);
    } catch (error) {
      if (!(error instanceof ReceiptInvalid)) throw error;
      // the receipt itself holds and stays provable; more was taken than it says
      return this.#refuseAnswer(answer, error, ids);
    }
  }

  async #hear(run: NodeRun, node: Address): Promise<NodeAnswer> {
    try {
      return await run.start();
    } catch (error) {
      if (!(error instanceof ReceiptInvalid) || !run.refused) throw error;
      return this.#refuse(node, error, run.refused);
    }
  }

  /** Also for a client that has gone: it may ask for it by the request's hash. */
  async #keepPartial({ partial, unproven }: Provable): Promise<void> {
    const { node } = partial.request;
    const request = partial.checkpoint.requestHash;
    const kept = await this.#note(request, this.#o.store.putPartial(partial));
    if (kept) this.#o.log.warn('partial_kept', { node, request, tokens: partial.completionIds.length, unproven });
  }

  /** What is kept for a later question must not cost the client what it gets now. */
  async #note(request: Hex32, put: Promise<void>): Promise<boolean> {
    try {
      await put;
      return true;
    } catch (error) {
      this.#o.log.error('request_not_kept', { request, name: error instanceof Error ? error.name : typeof error });
      return false;
    }
  }

  /** A request that was named to the client, and then given up for another. */
  async replaced(request: Hex32, by: Hex32): Promise<void> {
    await this.#note(request, this.#o.store.putReplaced(request, by));
  }

  async #currentKey({ node, sessionKey }: Candidate): Promise<Address> {
    await this.#o.directory.refresh();
    return (await this.#o.directory.node(node))?.sessionKey ?? sessionKey;
  }

  /** The checks that need no other receipt. A node may have changed its session key since the list was read. */
  async #check(answer: NodeAnswer, candidate: Candidate): Promise<{ ids: readonly number[]; candidate: Candidate }> {
    try {
      return { ids: checkNodeAnswer(answer), candidate };
    } catch (error) {
      if (!(error instanceof ReceiptInvalid)) throw error;
      if (error.check !== 'signature') return this.#refuseAnswer(answer, error);
    }
    const current = { ...candidate, sessionKey: await this.#currentKey(candidate) };
    try {
      return { ids: checkNodeAnswer(answer, { ...answer.asked, sessionKey: current.sessionKey }), candidate: current };
    } catch (error) {
      if (!(error instanceof ReceiptInvalid)) throw error;
      return this.#refuseAnswer(answer, error);
    }
  }

  async #link(receiptId: Hex32, receipt: Receipt, candidate: Candidate, answer: NodeAnswer, ids: readonly number[]): Promise<void> {
    const { node } = candidate;
    try {
      const missing = await this.#o.chains.of(node).accept(receipt, (digest) => this.#fetchReceipt(candidate, digest));
      if (missing > 0) this.#o.log.warn('chain_gap', { node, receipt: receiptId, missing });
    } catch (error) {
      if (!(error instanceof ReceiptInvalid)) throw error;
      await this.#o.store.removeBundle(receiptId);
      await this.#refuseAnswer(answer, error, ids);
    }
  }

  async #fetchReceipt({ url, node }: Candidate, digest: Hex32): Promise<Receipt> {
    const body = await this.#o.client.receipt(url, digest);
    if (typeof body !== 'object' || body === null)
      throw new ReceiptInvalid('previous', `node ${node} does not have the receipt ${digest} that it names`);
    try {
      return parseReceipt((body as { receipt?: unknown }).receipt);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      throw new ReceiptInvalid(
        'previous',
        `node ${node} hands over something else for the receipt ${digest} that it names (${error.message})`,
      );
    }
  }

  #refuseAnswer(answer: NodeAnswer, error: ReceiptInvalid, ids: readonly number[] = answer.answered.ids): Promise<never> {
    return this.#refuse(answer.asked.request.node, error, answer.bundleOf(ids), answer.checkpoint);
  }

  /** @param checkpoint - the last one, beside an answer with a receipt. */
  async #refuse(node: Address, error: ReceiptInvalid, signed: Bundle | PartialBundle, checkpoint?: SignedCheckpoint): Promise<never> {
    const { directory, store, clock, log } = this.#o;
    directory.refused(node);
    await this.#note(requestHashOf(signed.request), store.putRefusal(signed, error, clock.now(), checkpoint));
    log.warn('answer_refused', { node, check: error.check });
    throw refusedAnswer(node, error);
  }
}
