import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import type { ModelPrice } from '@commonweight/chain';
import {
  type Address,
  type Checkpoint,
  type End,
  type Frame,
  type Hex32,
  MerkleTag,
  MerkleTree,
  type Payment,
  type PaymentOffer,
  type PaymentResponse,
  type Receipt,
  type RunRequest,
  StreamHead,
  ZERO_ADDRESS,
  addressOfKey,
  checkpointDigest,
  encodeFrame,
  encodePaymentRequired,
  encodePaymentResponse,
  endDigest,
  fromHex,
  isCheckpointDue,
  isSignedBy,
  parseEndRequest,
  parsePaymentSignature,
  parseRunRequest,
  paymentHeaders,
  receiptDigest,
  receiptToJson,
  requestHashOf,
  sha256,
  signDigest,
  toHex,
  utf8,
  postedRootOf,
} from '@commonweight/protocol';
import type { PostedBatch } from '../http/receipt-route.ts';
import type { RegisteredNode } from '../network/node-directory.ts';
import { STOP_ID, domain, honestReceipt, signReceipt } from './answer-fixture.ts';
import { modelId } from './byte-model.ts';

/** One run at the fake worker: what a behaviour can do with it. */
export interface FakeRun {
  readonly input: RunRequest;
  readonly response: ServerResponse;
  /** After a token, the checkpoint that is due follows by itself. */
  readonly send: (frame: Frame) => void;
  /** Tokens and then the honest receipt for them. */
  readonly answer: (ids: readonly number[]) => void;
  /** The honest receipt frame. */
  readonly receiptFor: (ids: readonly number[], finishReason: Receipt['finishReason']) => Extract<Frame, { type: 'receipt' }>;
  /** Resolves when the payer's end comes. */
  readonly ended: Promise<End>;
  /** Resolves when the reader has gone. */
  readonly gone: Promise<void>;
}

/** How a fake worker sells its runs. */
export interface Sale {
  /** In its 402 to this request. */
  readonly offers: (request: RunRequest['request']) => readonly PaymentOffer[];
  /** Why a payment is not taken; undefined when it is. */
  readonly refuses?: (payment: Payment) => string | undefined;
  /** What it says that it took. */
  readonly settle: (receipt: Receipt, payment: Payment) => PaymentResponse;
}

export type Behaviour = (run: FakeRun) => void | Promise<void>;

/** A worker without an engine, over real HTTP: for what a real one never does. */
export class FakeWorker {
  readonly node: Address;
  readonly runs: RunRequest[] = [];
  readonly ends: End[] = [];
  /** Values of `PAYMENT-SIGNATURE` of the runs that came with one. */
  readonly payments: string[] = [];
  sale: Sale | undefined;
  readonly receipts: Receipt[] = [];
  behaviour: Behaviour;
  /** The last change of a receipt before it is signed. */
  beforeSign: (receipt: Receipt) => Receipt = (receipt) => receipt;
  /** The last change of a checkpoint before it is signed; an honest node sends just one. */
  beforeCheckpoint: (checkpoint: Checkpoint) => readonly Checkpoint[] = (checkpoint) => [checkpoint];
  confirmsEnds = true;
  /** Whether it answers questions for receipts now. */
  handsOver: () => boolean = () => true;
  onEnd: () => void = () => undefined;
  #onRun: (() => void) | undefined;
  status = 'ok';
  /** What the registry says of its prices, and what it says itself; both 10 and 20, for nothing that has an address. */
  price: ModelPrice = { modelId, asset: ZERO_ADDRESS, promptPrice: 10n, completionPrice: 20n };
  asked = { prompt: '10', completion: '20', asset: ZERO_ADDRESS };
  readonly #operator: Hex32;
  #session: Hex32;
  readonly #server: Server;
  readonly #pending = new Map<Hex32, { end: (end: End) => void }>();

  constructor(name: string, behaviour: Behaviour) {
    this.#operator = toHex(sha256(utf8(`operator ${name}`)));
    this.#session = toHex(sha256(utf8(`session ${name}`)));
    this.node = addressOfKey(this.#operator);
    this.behaviour = behaviour;
    this.#server = createServer((request, response) => {
      this.#handle(request, response).catch((error: unknown) => response.destroy(error as Error));
    });
  }

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return this;
  }

  /** Resolves when a run has come. */
  async nextRun(): Promise<void> {
    if (this.runs.length === 0) await new Promise<void>((resolve) => (this.#onRun = resolve));
  }

  stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    return closed;
  }

  get registered(): RegisteredNode {
    const { port } = this.#server.address() as { port: number };
    return {
      node: this.node,
      sessionKey: addressOfKey(this.#session),
      endpoint: `http://127.0.0.1:${port}`,
      models: [modelId],
      prices: [this.price],
      bond: 1n,
    };
  }

  /** From now on another session key signs, and is registered. */
  rotateSessionKey(): void {
    this.#session = toHex(sha256(fromHex(this.#session)));
  }

  /** All receipts so far as one posted batch. */
  postedBatch(): PostedBatch | undefined {
    if (this.receipts.length === 0) return undefined;
    return { root: postedRootOf(toHex(this.#tree().root())), count: this.receipts.length, postedAt: 1_700_000_000 };
  }

  #tree(): MerkleTree {
    const tree = new MerkleTree(MerkleTag.receipts);
    for (const receipt of this.receipts) tree.append(fromHex(receiptDigest(receipt, domain)));
    return tree;
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = request.url ?? '';
    if (url === '/health') {
      const queue = { running: 0, waiting: 0, slots: 8, limit: 8 };
      const engines = [{ model: modelId, backend: 'none', prefixCache: {} }];
      return json(response, 200, { status: this.status, node: this.node, models: [modelId], queue, engines, prices: this.asked });
    }
    if (url === '/v1/end') return this.#end(parseEndRequest(await readJson(request)), response);
    if (url === '/v1/run') return this.#take(request, parseRunRequest(await readJson(request)), response);
    if (!this.handsOver()) return json(response, 503, {});
    const digest = /^\/v1\/receipts\/(0x[0-9a-f]{64})$/.exec(url)?.[1];
    const index = this.receipts.findIndex((receipt) => receiptDigest(receipt, domain) === digest);
    if (index < 0) return json(response, 404, {});
    const siblings = this.#tree().proof(index).map(toHex);
    const receipt = this.receipts[index]!;
    json(response, 200, {
      receipt: receiptToJson(receipt),
      signature: signReceipt(receipt, this.#session),
      status: 'posted',
      proof: { index, count: this.receipts.length, siblings },
    });
  }

  #end({ end, signature }: { end: End; signature: `0x${string}` }, response: ServerResponse): void {
    const run = this.runs.find(({ request }) => requestHashOf(request) === end.requestHash);
    if (!run || !isSignedBy(endDigest(end, domain), signature, run.request.payer)) return json(response, 404, {});
    this.ends.push(end);
    this.onEnd();
    this.#pending.get(end.requestHash)!.end(end);
    json(response, this.confirmsEnds ? 200 : 409, {});
  }

  async #take(request: IncomingMessage, input: RunRequest, response: ServerResponse): Promise<void> {
    if (!this.sale) return this.#run(input, response);
    const header = request.headers[paymentHeaders.signature];
    if (typeof header === 'string') this.payments.push(header);
    const payment = typeof header === 'string' ? parsePaymentSignature(header) : undefined;
    const error = payment ? this.sale.refuses?.(payment) : 'pay first';
    if (error === undefined) return this.#run(input, response, payment);
    const resource = { url: `${this.registered.endpoint}/v1/run` };
    const required = encodePaymentRequired({ x402Version: 2, error, resource, accepts: this.sale.offers(input.request) });
    response.writeHead(402, { 'content-type': 'application/x-ndjson', [paymentHeaders.required]: required });
    response.end();
  }

  async #run(input: RunRequest, response: ServerResponse, payment?: Payment): Promise<void> {
    this.runs.push(input);
    this.#onRun?.();
    const requestHash = requestHashOf(input.request);
    let end!: (end: End) => void;
    const ended = new Promise<End>((resolve) => (end = resolve));
    this.#pending.set(requestHash, { end });
    response.writeHead(200, { 'content-type': 'application/x-ndjson' });
    const chain = new StreamHead(requestHash, input.nonce);
    const send = (frame: Frame): void => {
      response.write(`${encodeFrame(frame)}\n`);
      if (frame.type !== 'token') return;
      chain.append(frame.id);
      const { count: completionTokens, head } = chain;
      if (!isCheckpointDue(completionTokens)) return;
      for (const checkpoint of this.beforeCheckpoint({ requestHash, completionTokens, head })) {
        const signature = signDigest(checkpointDigest(checkpoint, domain), this.#session);
        send({ type: 'checkpoint', completionTokens: checkpoint.completionTokens, head: checkpoint.head, signature });
      }
    };
    const receiptFor: FakeRun['receiptFor'] = (ids, finishReason) => {
      const previous = this.receipts.at(-1);
      const { receipt: honest, digests } = honestReceipt(input.request, input.nonce, {
        ids,
        promptIds: input.promptIds,
        finishReason,
        ...(previous && { previous }),
      });
      const receipt = this.beforeSign(honest);
      this.receipts.push(receipt);
      const settlement = payment && encodePaymentResponse(this.sale!.settle(receipt, payment));
      const frame = { type: 'receipt', receipt, signature: signReceipt(receipt, this.#session), digests } as const;
      return settlement === undefined ? frame : { ...frame, settlement };
    };
    const gone = new Promise<void>((resolve) => response.once('close', resolve));
    const answer = (ids: readonly number[]): void => {
      for (const [index, id] of ids.entries()) send({ type: 'token', index, id });
      send(receiptFor(ids, ids.at(-1) === STOP_ID ? 'stop_id' : 'length'));
      response.end();
    };
    await this.behaviour({ input, response, send, answer, receiptFor, ended, gone });
  }
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return JSON.parse(Buffer.concat(parts).toString('utf8'));
}

function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}
