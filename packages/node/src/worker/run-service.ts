import {
  type Address,
  type CanonicalRequest,
  CommonweightError,
  type EndRequest,
  type Hex32,
  type ModelId,
  type RunRequest,
  type Signature,
  endDigest,
  isSignedBy,
  maximumAmount,
  prfKey,
} from '@commonweight/protocol';
import type { Ledger } from '../journal/ledger.ts';
import type { Cashier } from '../payments/cashier.ts';
import { workerLimits } from '../limits.ts';
import type { Clock } from '../platform/clock.ts';
import { CheckpointSigner } from './checkpoint-signer.ts';
import { checkLimit } from './check-limit.ts';
import { type Offer, chargedPrices, checkAsked, checkRun, checkSigned } from './check-run.ts';
import type { DigestStore } from './digest-store.ts';
import { draftReceipt } from './draft-receipt.ts';
import type { EngineHost, EngineResult } from './engine-host.ts';
import { opaque } from './internal-error.ts';
import { describeError } from './describe-error.ts';
import type { WorkerLog } from './log.ts';
import { type RunQueue, queueFull } from './run-queue.ts';
import { RunProgress } from './run-progress.ts';
import { type Outcome, Run } from './run.ts';
import { UnbilledRuns } from './unbilled-runs.ts';

export interface RunServiceOptions {
  readonly offer: Offer;
  readonly engines: ReadonlyMap<ModelId, EngineHost>;
  readonly ledger: Ledger;
  /** Signs with the session key. */
  readonly sign: (digest: Hex32) => Signature;
  readonly digests: DigestStore;
  readonly queue: RunQueue;
  /** Takes payments; without one, nothing is asked for. */
  readonly cashier?: Cashier;
  readonly clock: Clock;
  readonly log: WorkerLog;
  /** Called when the node cannot go on: the journal cannot be written, or the engine is gone. */
  readonly fail: (error: CommonweightError) => void;
}

/** Work without a receipt that the payer could have avoided. */
const payersFault = new Set(['abandoned', 'not_processed', 'grammar_too_ambiguous', 'grammar_stuck']);

/** Accepted requests from the check to the receipt. */
export class RunService {
  readonly #options: RunServiceOptions;
  readonly #runs = new Map<Hex32, Run>();
  /** Requests whose payment is being looked at. */
  readonly #selling = new Set<Hex32>();
  /** Runs whose reader has gone, oldest first, with what gives them up. */
  readonly #orphans = new Map<Run, () => void>();
  readonly #unbilled: UnbilledRuns;
  #failure: CommonweightError | undefined;
  #stopping = false;

  constructor(options: RunServiceOptions) {
    this.#options = options;
    this.#unbilled = new UnbilledRuns(options.clock);
  }

  /** Set when the node cannot go on. */
  get failure(): CommonweightError | undefined {
    return this.#failure;
  }

  /** Checks a request that comes without a payment and puts it into the queue. Throws CommonweightError when it is refused; PaymentRefused with the offers when it costs money. */
  start(input: RunRequest): Run {
    const { offer, cashier } = this.#options;
    this.#checkOpen();
    const maximum = this.#maximum(input);
    if (cashier && maximum > 0n) {
      checkAsked(input, offer);
      throw cashier.quote(input.request, maximum);
    }
    const requestHash = checkRun(input, offer);
    this.#unbilled.check(input.request.payer);
    this.#checkNew(requestHash);
    const run = this.#take(input, requestHash);
    void this.#execute(run);
    return run;
  }

  /** The same with a payment: resolves when it is reserved. @param payment - value of `PAYMENT-SIGNATURE` */
  async sell(input: RunRequest, payment: string): Promise<Run> {
    const { offer, cashier } = this.#options;
    this.#checkOpen();
    const maximum = this.#maximum(input);
    if (!cashier || maximum === 0n) return this.start(input);
    checkAsked(input, offer);
    const requestHash = checkSigned(input, offer);
    this.#checkNew(requestHash);
    if (this.#options.queue.full) throw queueFull(this.#options.queue);
    this.#selling.add(requestHash);
    let run: Run | undefined;
    const take = (from: Address): void => {
      this.#checkOpen();
      this.#unbilled.check(from);
      run = this.#take(input, requestHash);
    };
    try {
      await cashier.accept({ input, requestHash, maximum, take }, payment);
    } catch (error) {
      this.#runs.delete(requestHash);
      run?.finish({ error: opaque(error, this.#options.log) });
      if (error instanceof CommonweightError && error.action === 'stop') this.#fail(error);
      throw error;
    } finally {
      this.#selling.delete(requestHash);
    }
    void this.#execute(run!);
    return run!;
  }

  #maximum({ request }: RunRequest): bigint {
    return maximumAmount(request, chargedPrices(request, this.#options.offer));
  }

  #checkOpen(): void {
    if (this.#stopping) throw new CommonweightError('the node is stopping; ask another one', { code: 'stopping', action: 'retry' });
    if (this.#failure) throw this.#failure;
  }

  #checkNew(requestHash: Hex32): void {
    const signed = this.#options.ledger.state.digestOf(requestHash);
    if (!signed && !this.#runs.has(requestHash) && !this.#selling.has(requestHash)) return;
    const what = signed ? `was answered with receipt ${signed}` : 'is in progress';
    throw new CommonweightError(`request ${requestHash} ${what}; a new request needs a new nonce`, { code: 'replay', field: 'request' });
  }

  /** Gives a checked request its place among the runs. */
  #take(input: RunRequest, requestHash: Hex32): Run {
    const { queue, ledger, offer } = this.#options;
    const run = new Run(input, requestHash);
    checkLimit(input.request, this.#openOn(run.account), ledger.state.billed(input.request), offer);
    if (queue.full) throw queueFull(queue);
    this.#runs.set(requestHash, run);
    return run;
  }

  /** Requests of the account's runs that the journal does not hold a receipt for yet. */
  #openOn(account: Hex32): CanonicalRequest[] {
    const { state } = this.#options.ledger;
    const open = [...this.#runs.values()].filter((run) => run.account === account && !state.digestOf(run.requestHash));
    return open.map(({ input }) => input.request);
  }

  /**
   * Ends a run at the payer's word. Resolves with how the run ended, which is the same answer however often the same end comes.
   * @throws CommonweightError `unknown_run`, `bad_signature`, `end_ahead`, `already_ended`
   */
  async end({ end, signature }: EndRequest): Promise<Outcome> {
    const { offer, ledger, digests, engines } = this.#options;
    const run = this.#runs.get(end.requestHash);
    const signed = ledger.state.digestOf(end.requestHash);
    const found = signed && !run ? await ledger.find(signed) : undefined;
    const payer = run?.input.request.payer ?? found?.issued.receipt.payer;
    if (payer === undefined)
      throw new CommonweightError(`there is no run ${end.requestHash}, or it ended without a receipt`, {
        code: 'unknown_run',
        field: 'end.requestHash',
      });
    if (!isSignedBy(endDigest(end, offer.domain), signature, payer)) {
      throw new CommonweightError("signature: expected the payer's signature over the end's digest", {
        code: 'bad_signature',
        field: 'signature',
      });
    }
    if (run) {
      if (end.completionTokens > run.tokens) {
        throw new CommonweightError(
          `end.completionTokens: ${run.tokens} tokens have been produced, the end names ${end.completionTokens}`,
          {
            code: 'end_ahead',
            field: 'end.completionTokens',
          },
        );
      }
      // a receipt that says `cancelled` over an answer that ends with its stop id would be refuted
      const tooLate = run.atStopId && end.completionTokens === run.tokens;
      if (tooLate || !run.acceptEnd({ end, signature })) throw alreadyEnded(end.requestHash);
      return run.outcome;
    }
    const issued = found!.issued;
    const same = issued.end?.end;
    if (same?.completionTokens !== end.completionTokens || same.reason !== end.reason) throw alreadyEnded(end.requestHash, issued.digest);
    const points = engines.get(issued.receipt.modelId)?.manifest.graph.commitPoints.length ?? 1;
    return { issued, digests: (await digests.get(issued.digest, issued.receipt, points)) ?? new Uint8Array(0) };
  }

  /** Stops every run; none of them gets a receipt. */
  async stop(): Promise<void> {
    this.#stopping = true;
    const runs = [...this.#runs.values()];
    for (const run of runs) run.stop();
    for (const giveUp of this.#orphans.values()) giveUp();
    await Promise.all(runs.map((run) => run.outcome));
  }

  async #execute(run: Run): Promise<void> {
    const { log } = this.#options;
    let outcome: Outcome;
    try {
      const result = await this.#runEngine(run);
      if (result.finish === 'stopped' && !run.end && !this.#stopping) await this.#awaitEnd(run);
      outcome = await this.#sign(run, result);
    } catch (error) {
      const known = opaque(error, log);
      if (known.action === 'stop') this.#fail(known);
      if (payersFault.has(known.code) && run.worked && !this.#stopping) this.#addUnbilled(run);
      outcome = { error: known };
    }
    outcome = await this.#settle(run.requestHash, outcome);
    this.#runs.delete(run.requestHash);
    run.finish(outcome);
  }

  /** Charges what has a receipt and gives up what has none. The receipt stands whatever becomes of the payment. */
  async #settle(requestHash: Hex32, outcome: Outcome): Promise<Outcome> {
    const { cashier, log } = this.#options;
    try {
      if ('error' in outcome) {
        await cashier?.release(requestHash);
        return outcome;
      }
      const settlement = await cashier?.settle(outcome.issued);
      return settlement === undefined ? outcome : { ...outcome, settlement };
    } catch (error) {
      const known = opaque(error, log);
      if (known.action === 'stop') this.#fail(known);
      return outcome;
    }
  }

  /** Counts against whose money it was: the payer of the request may be a gateway that asks for many who pay. */
  #addUnbilled({ input, requestHash }: Run): void {
    this.#unbilled.add(this.#options.cashier?.ownerOf(requestHash) ?? input.request.payer);
  }

  async #runEngine(run: Run): Promise<EngineResult> {
    const { queue, clock, log, offer, sign } = this.#options;
    const { request, promptIds, nonce } = run.input;
    const checkpoints = new CheckpointSigner({ requestHash: run.requestHash, nonce, domain: offer.domain, sign });
    const engine = this.#engineOf(request.modelId);
    const nothing: EngineResult = { completionIds: [], finish: 'stopped', digests: new Uint8Array(0) };
    using progress = new RunProgress(run, clock);
    let leave: () => void;
    try {
      leave = await queue.enter(progress.ahead, run.signal);
    } catch (error) {
      if (run.signal.aborted) return nothing;
      throw error;
    }
    progress.started();
    try {
      log.info('run_started', { promptTokens: promptIds.length, maxTokens: request.maxTokens });
      return await engine.run(
        {
          promptIds,
          sampler: request.sampler,
          prfKey: prfKey(request.modelId, request.sampler, request.seed, request.choice),
          stopIds: request.stopIds,
          maxTokens: request.maxTokens,
          scope: request.payer,
          logprobs: run.input.logprobs,
        },
        {
          onQueued: progress.ahead,
          onPrefill: (done, total, cached) => {
            run.worked = true;
            progress.prefill(done, total, cached);
          },
          onToken: (index, id, logprobs) => {
            progress.stop();
            run.worked = true;
            run.tokens = index + 1;
            run.atStopId = request.stopIds.includes(id);
            run.frames.push({ type: 'token', index, id, ...(logprobs && { logprobs }) });
            const checkpoint = checkpoints.token(id);
            if (checkpoint) run.frames.push(checkpoint);
          },
        },
        run.signal,
      );
    } finally {
      leave();
    }
  }

  /** The reader has gone: perhaps the payer's signed end is still on its way. The engine is already free for the next run. */
  #awaitEnd(run: Run): Promise<void> {
    if (this.#orphans.size >= workerLimits.orphans) [...this.#orphans.values()][0]!();
    return new Promise((resolve) => {
      const done = (): void => {
        cancelTimer();
        this.#orphans.delete(run);
        resolve();
      };
      const cancelTimer = this.#options.clock.after(workerLimits.orphanMs, done);
      this.#orphans.set(run, done);
      run.onEnd(done);
    });
  }

  async #sign(run: Run, result: EngineResult): Promise<Outcome> {
    const { offer, ledger, clock, log } = this.#options;
    const end = run.decide();
    if (result.finish === 'stopped' && !end) {
      log.info('run_abandoned', { tokens: run.tokens });
      throw new CommonweightError("the run was stopped without the payer's signed end: there is no receipt", {
        code: 'abandoned',
        action: 'retry',
      });
    }
    const completionIds = end ? result.completionIds.slice(0, end.end.completionTokens) : result.completionIds;
    if (end && completionIds.length !== end.end.completionTokens) throw new Error('the engine returned fewer tokens than it reported');
    const finishReason = end ? end.end.reason : (result.finish as 'stop_id' | 'length');
    const points = this.#engineOf(run.input.request.modelId).manifest.graph.commitPoints.length;
    const answer = { completionIds, finishReason, digests: result.digests };
    const { draft, digests } = draftReceipt(run.input, run.requestHash, answer, points, offer, Math.floor(clock.now() / 1000));
    const issued = await ledger.issue(draft, end);
    log.info('receipt_signed', {
      sequence: issued.receipt.sequence,
      batch: issued.receipt.batch,
      finish: finishReason,
      completionTokens: completionIds.length,
    });
    await this.#store(issued.digest, digests);
    return { issued, digests };
  }

  /** The receipt stands whether or not its digests could be kept. */
  async #store(receipt: Hex32, digests: Uint8Array): Promise<void> {
    try {
      await this.#options.digests.put(receipt, digests);
    } catch (error) {
      this.#options.log.warn('digests_not_stored', describeError(error));
    }
  }

  #fail(error: CommonweightError): void {
    if (this.#failure) return;
    this.#failure = error;
    this.#options.fail(error);
  }

  #engineOf(modelId: ModelId): EngineHost {
    const engine = this.#options.engines.get(modelId);
    if (!engine) throw new CommonweightError(`this node does not serve ${modelId}`, { code: 'model_not_served', field: 'request.modelId' });
    return engine;
  }
}

const alreadyEnded = (requestHash: Hex32, receipt?: Hex32): CommonweightError =>
  new CommonweightError(`run ${requestHash} has already ended in another way${receipt ? `: its receipt is ${receipt}` : ''}`, {
    code: 'already_ended',
  });
